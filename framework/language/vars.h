// Variables and arithmetic in a pipeline file. `$name` alone is the variable's value, whatever it
// is; inside a longer text it is its text. `$(latent * 2 + 1)` is arithmetic over numbers:
// + - * / // % ( ), with `/` exact and `//` rounded down. `${…}` means the same where YAML lets a
// brace stand: not inside of `{ }` and `[ ]`. `$$` is a dollar sign.
//
// A node with `repeat: 3` or `repeat: [400, 200]` stands for a chain: each takes the output of the
// one before as its `x` (or the port that `chain:` names); `$index` counts from 0, `$item` is the
// value of the list.
#pragma once

#include <map>
#include <string>

#include "framework/language/yaml.h"

namespace weft {

struct Vars : std::map<std::string, Yaml> {
  using map::map;
  // Where they come from, for who names one that is not there.
  std::string declared = "variables are declared under `vars:`";
};

// A copy of `value` with every variable replaced; mistakes (unknown variable, bad arithmetic, more
// than 100,000 values or 16 MiB of text in all) are collected. Keys of maps and quoted text are
// left as they are.
Yaml substitute(const Yaml& value, const Vars& vars, Mistakes& mistakes);

// Does a variable stand in it that could not be replaced? That was reported.
bool unresolved(const Yaml& value);

// The variables of a `vars:` map; later ones may use earlier ones.
Vars read_vars(const Yaml& map, const Vars& outer, Mistakes& mistakes);

}  // namespace weft

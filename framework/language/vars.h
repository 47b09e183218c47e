// Variables and arithmetic in a pipeline file. A value that is `$name` alone becomes the variable's
// value, of whatever kind; inside a longer text `$name` becomes the variable's text.
// `$(latent * 2 + 1)` is arithmetic over numbers: + - * / // % ** ( ), sqrt, exp, log, log2, pi,
// with `/` exact and `//` rounded down. `${…}` means the same, but YAML does not allow it inside of
// `{ }` and `[ ]`. `$$` is a dollar sign.
//
// A node with `repeat: 3` or `repeat: [400, 200]` stands for a chain of nodes. Each takes the
// output of the one before as its `x` (or as the port that `chain:` names); with `chain: [v, h]`
// these ports take the outputs of the same names. `$index` counts the nodes from 0, `$item` is the
// value of the list.
#pragma once

#include <map>
#include <string>

#include "framework/language/yaml.h"

namespace weft {

struct Vars : std::map<std::string, Yaml> {
  using map::map;
  // The part of the message about an unknown variable that says where they are declared.
  std::string declared = "variables are declared under `vars:`";
};

// A copy of `value` with every variable replaced; mistakes (unknown variable, bad arithmetic, more
// than 100,000 values or 16 MiB of text in all) are collected. Keys of maps and quoted text are
// left as they are.
Yaml substitute(const Yaml& value, const Vars& vars, Mistakes& mistakes);

// Does the value hold a variable that could not be replaced, which was then reported?
bool unresolved(const Yaml& value);

// Reads the variables of a file, which may use one another in any order, though not in a circle;
// `$count` is 64 if the file does not say otherwise.
Vars read_vars(const Yaml& file, Mistakes& mistakes);

// Closes a fragment of a pipeline over its variables: replaces those in the defaults of its params,
// and makes params of those that it uses beside.
void close_fragment(Yaml& fragment, const Vars& vars, Mistakes& mistakes);

}  // namespace weft

// How the keys of a map are told: for each its name, what may stand behind it, and a sentence. By
// such tables maps are read (fields.h); the schema for editors and docs/language.md are made of
// them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/node/param.h"

namespace weft {

enum class Type {
  text,
  name,  // letters, digits, `_` and `-`, not first a digit
  boolean,
  integer,
  number,
  reference,   // `node`, `node.port` or an input of the graph
  checkpoint,  // last, best or a step
  repeat,      // how often, or a list of values
  points,      // a map from steps to numbers
  version,     // 1
  map,
  anything
};

struct Keys;

// What may stand behind a key.
struct Value {
  Type type = Type::anything;
  Check check{};               // the bounds of a number, the choices of a text
  const Keys* keys = nullptr;  // of a map
  std::optional<Type> alone;   // may stand in place of the map
  enum class Count {
    one,
    some,  // a list; a lone one needs no brackets
    named  // a map to such values from names of the user's own
  } count = Count::one;
  bool required = false;
  const char* unless = "";    // a key without which alone it is required
  const char* standard = "";  // the default, as a file would say it; "" if the sentence tells, or 0

  bool is_scalar() const { return count == Count::one && type != Type::map; }
  Value needed() const;
  Value needed_unless(const char* key) const;
  Value otherwise(const char* standard) const;
};

struct Key {
  const char* name;
  Value value;
  const char* about;
};

struct Keys {
  const char* name;  // of such a map, in the page and in the schema
  const char* about;
  std::vector<Key> all;
  const char* further = "";                  // what keys beside these are; "": mistakes
  std::vector<const Keys*> variations = {};  // `all` is of all of them; a map is of one

  const Key* find(const std::string& key) const;  // null if there is none
  std::vector<std::string> names() const;         // sorted
};

// The words of tables: `integer(at_least(1)).otherwise("3")`, `some(map(phase))`.
namespace keys {
inline const Value text{Type::text}, name{Type::name}, boolean{Type::boolean}, number{Type::number},
    amount{Type::number, at_least(0)}, reference{Type::reference}, checkpoint{Type::checkpoint},
    anything{Type::anything};
Value integer(Check check);
Value choice(std::vector<std::string> words);
Value map(const Keys& keys);
Value map_or(Type alone, const Keys& keys);
Value some(Value value);
Value named(Value value);
}  // namespace keys

}  // namespace weft

// The types of the tables that describe the language. A table lists the keys of a map: for each its
// name, the values that it may have, and a sentence. Maps are read by these tables (fields.h); the
// schema for editors and docs/language.md are made from them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/node/param.h"

namespace weft {

enum class Type {
  text,
  name,  // letters, digits, `_` and `-`, first no digit
  boolean,
  integer,
  number,
  reference,   // `node`, `node.port` or an input of the graph
  checkpoint,  // last, best or a step
  repeat,      // a number of times, or a list of values
  points,      // a map from steps to numbers
  version,     // the number 1
  map,
  anything
};

struct Keys;

// The values that a key may have.
struct Value {
  Type type = Type::anything;
  Check check{};               // the bounds of a number, the choices of a text
  const Keys* keys = nullptr;  // the table of a map
  std::optional<Type> alone;   // a value of this type may stand in place of the map
  enum class Count {
    one,
    some,  // a list of such values; one alone needs no brackets
    named  // a map from names that the user chooses to such values
  } count = Count::one;
  bool required = false;
  std::vector<const char*> unless = {};  // it is required only where these keys are absent
  const char* standard = "";             // the default as YAML; "": zero, or told by the sentence

  bool is_scalar() const { return count == Count::one && type != Type::map; }
  Value needed() const;
  Value needed_unless(std::vector<const char*> keys) const;
  Value otherwise(const char* standard) const;
};

struct Key {
  const char* name;
  Value value;
  const char* about;
};

struct Keys {
  const char* name;  // what docs/language.md and the schema call such a map
  const char* about;
  std::vector<Key> all;
  const char* further = "";                  // the meaning of any other key; "": it is a mistake
  std::vector<const Keys*> variations = {};  // a map is one of these; `all` has the keys of all

  const Key* find(const std::string& key) const;  // null if there is none
  std::vector<std::string> names() const;         // sorted
};

// The words that tables are written with: `integer(at_least(1)).otherwise("3")`,
// `some(map(phase))`.
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

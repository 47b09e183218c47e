// Reading a map by the table of its keys. Mistakes are noted.
#pragma once

#include <string>
#include <vector>

#include "framework/language/keys.h"
#include "framework/language/spelling.h"
#include "framework/language/yaml.h"

namespace weft {

// To read a key that the table does not have, or as something else than the table says, is a defect
// of the reader: std::logic_error. A value that is absent or refused is the table's default, or,
// where it has none, what the caller says.
class Fields {
 public:
  // Notes unknown keys, unless the table allows for further ones, and those that are left blank.
  // `what` names the map in messages: "module `encoder`".
  Fields(const Yaml& map, const Keys& keys, std::string what, Mistakes& mistakes);

  const Yaml* take(const std::string& key) const;  // null if absent (or null in the file)
  const Yaml* need(const std::string& key);        // a mistake if absent
  bool told(const std::string& key) const;  // absent, which was noted: it is misspelt, or blank

  // These need what the table requires, and take the rest.
  std::string text(const std::string& key, const std::string& otherwise = "");
  int64_t integer(const std::string& key);
  double number(const std::string& key, double otherwise = 0);
  bool boolean(const std::string& key);
  std::vector<Yaml> list(const std::string& key) const;  // a lone value is a list of one

 private:
  const Value& expected(const std::string& key) const;
  template <class T, class Convert>
  T convert(const std::string& key, std::initializer_list<Type> types, T otherwise, Convert f);

  const Yaml& map_;
  const Keys& keys_;
  std::string what_;
  Mistakes& mistakes_;
  Spelling spelling_;
};

// Adds an error, or each of several, with `who` before its sentence. One without a place stands at
// `place`.
void add_at(Mistakes& mistakes, const Place& place, const Error& error,
            const std::string& who = "");

std::string ticked(const std::string& name);                // "`a`"
std::string listed(const std::vector<std::string>& names);  // "a, b, c"
bool is_name(const std::string& text);  // letters, digits, `_` and `-`, not first a digit

}  // namespace weft

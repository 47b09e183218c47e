// The reader of a map: it takes the values of keys as the table of the map's keys describes them.
// Mistakes are collected, not thrown.
#pragma once

#include <string>
#include <vector>

#include "framework/language/key.h"
#include "framework/language/spelling.h"
#include "framework/language/yaml.h"

namespace weft {

// A value that is absent or refused reads as the table's default or, where the table has none, as
// the caller's. To ask for a key that the table lacks, or for another type than the table says, is
// a defect of the caller: std::logic_error.
class Fields {
 public:
  // Notes keys that are unknown, unless the table allows further ones, and keys left blank.
  // `what` names the map in messages: "module `encoder`".
  Fields(const Yaml& map, const Keys& keys, std::string what, Mistakes& mistakes);

  const Yaml* take(const std::string& key) const;  // null if absent (or null in the file)
  const Yaml* need(const std::string& key);        // a mistake if absent
  bool told(const std::string& key) const;         // was it already noted as misspelt or blank?

  // Each reads one value. It is a mistake if the table requires the key and it is absent.
  std::string text(const std::string& key, const std::string& otherwise = "");
  int64_t integer(const std::string& key);
  double number(const std::string& key, double otherwise = 0);
  bool boolean(const std::string& key);
  std::vector<Yaml> list(const std::string& key) const;  // one value is a list, too

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

// Adds an error, or each of several (Errors), with `who` before its sentence. An error without a
// place is given `place`.
void add_at(Mistakes& mistakes, const Place& place, const Error& error,
            const std::string& who = "");

std::string ticked(const std::string& name);                // "`a`"
std::string listed(const std::vector<std::string>& names);  // "a, b, c"
bool is_name(const std::string& text);  // letters, digits, `_` and `-`, first no digit

}  // namespace weft

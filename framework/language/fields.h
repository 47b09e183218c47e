// Reading a map strictly: every key is taken once, and what is left over is a mistake.
#pragma once

#include <set>
#include <string>

#include "framework/language/yaml.h"

namespace weft {

class Fields {
 public:
  // `what` names the map in messages: "module `encoder`".
  Fields(const Yaml& map, std::string what, Mistakes& mistakes);

  const Yaml* take(const std::string& key);  // null if absent (or null in the file)
  const Yaml* need(const std::string& key);  // a mistake if absent, but for a misspelt one
  std::string text(const std::string& key, std::string otherwise);
  int64_t integer(const std::string& key, int64_t otherwise, int64_t least, int64_t most);
  double number(const std::string& key, double otherwise, double least);
  bool boolean(const std::string& key, bool otherwise);
  std::vector<Yaml> list(const std::string& key);  // a lone scalar is a list of one
  Yaml rest();                                     // the keys not taken, as a map; ends the check
  void done();                                     // reports the keys not taken

 private:
  void lacks(const std::string& key);
  template <class Convert>
  void convert(const std::string& key, Convert f);

  const Yaml& map_;
  std::string what_;
  Mistakes& mistakes_;
  std::set<std::string> taken_;
  std::vector<std::pair<std::string, std::string>> missing_;  // needed keys, and what may be they
};

// Adds an error, or each of several, with `who` before its sentence. One without a place stands at
// `place`.
void add_at(Mistakes& mistakes, const Place& place, const Error& error,
            const std::string& who = "");

std::string ticked(const std::string& name);                // "`a`"
std::string listed(const std::vector<std::string>& names);  // "a, b, c"
bool is_name(const std::string& text);  // letters, digits, `_` and `-`, not first a digit

}  // namespace weft

// The keys that a map has, beside those that it may have. A key that is missing because it is
// misspelt is told once: by the one who meets the other spelling.
#pragma once

#include <string>
#include <vector>

#include "framework/language/yaml.h"

namespace weft {

class Spelling {
 public:
  // An unknown key, and " (did you mean `features`?)", or "" if it is near none.
  struct Unknown {
    const Yaml::Entry* entry;
    std::string near;
  };

  Spelling(const Yaml& map, const std::vector<std::string>& known);  // the map must outlive it

  const std::vector<Unknown>& unknown() const { return unknown_; }
  // Has the map neither this key nor one that seems to mean it?
  bool lacks(const std::string& key) const;

 private:
  const Yaml& map_;
  std::vector<Unknown> unknown_;
};

}  // namespace weft

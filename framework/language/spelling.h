// A comparison of the keys that a map has with those that it may have. A key that is missing
// because it is misspelt is reported once, as the unknown key that stands in its place.
#pragma once

#include <string>
#include <vector>

#include "framework/language/yaml.h"

namespace weft {

class Spelling {
 public:
  // An unknown key, and " (did you mean `features`?)" or, if it is like none, "".
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

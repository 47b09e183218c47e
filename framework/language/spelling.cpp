#include "framework/language/spelling.h"

#include <algorithm>

#include "framework/node/did_you_mean.h"

namespace weft {

Spelling::Spelling(const Yaml& map, const std::vector<std::string>& known) : map_(map) {
  for (const Yaml::Entry& entry : map.entries())
    if (std::find(known.begin(), known.end(), entry.key) == known.end())
      unknown_.push_back({&entry, did_you_mean(entry.key, known)});
}

bool Spelling::lacks(const std::string& key) const {
  const auto meant = [&](const Unknown& unknown) {
    return unknown.near.find("`" + key + "`") != std::string::npos;
  };
  return !map_.find(key) && std::none_of(unknown_.begin(), unknown_.end(), meant);
}

}  // namespace weft

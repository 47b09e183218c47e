#include "framework/node/did_you_mean.h"

#include <algorithm>
#include <numeric>

namespace weft {

namespace {
// The Damerau-Levenshtein distance (optimal string alignment).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  std::iota(last.begin(), last.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replace = last[j - 1] + (a[i - 1] != b[j - 1]);
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = std::min(now[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[b.size()];
}
}  // namespace

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string* best = nullptr;
  size_t least = std::min(std::max<size_t>(1, name.size() / 3) + 1, name.size());
  for (const std::string& candidate : candidates) {
    const size_t d = distance(name.substr(0, 64), std::string_view(candidate).substr(0, 64));
    if (d < least) least = d, best = &candidate;
  }
  return best ? " (did you mean `" + *best + "`?)" : "";
}

}  // namespace weft

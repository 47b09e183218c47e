// The param that says how many samples there are at the most.
#pragma once

#include <algorithm>
#include <vector>

#include "framework/node/node.h"

namespace weft {

struct Limit {
  Param<int64_t> limit;

  explicit Limit(Node* owner)
      : limit(owner, "limit", "Only the first samples; 0 is all.", 0,
              chooses_samples(at_least(0))) {}

  int64_t of(int64_t samples) const { return *limit > 0 ? std::min(*limit, samples) : samples; }
  template <class Sample>
  void cut(std::vector<Sample>& samples) const {
    samples.resize(static_cast<size_t>(of(std::ssize(samples))));
  }
};

}  // namespace weft

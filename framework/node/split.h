// How a source divides its samples into a training and a test set.
#pragma once

#include <string>
#include <vector>

#include "framework/node/node.h"

namespace weft {

enum class Split { all, train, test };
inline std::vector<std::string> names(Split) {
  return {"all", "train", "test"};
}

struct SplitParams {
  Param<Split> split;
  Param<double> test_share;

  explicit SplitParams(Node* owner)
      : split(owner, "split", "All samples, or those on one side of `test_share`.", Split::all),
        test_share(owner, "test_share",
                   "The share of groups that the test set has, by a hash of the group.", 0.1,
                   within(0, 1)) {}

  // Is a sample of this group on the side that is asked for?
  bool wants(const std::string& group) const {
    const double share = static_cast<double>(Random::key(0, group) >> 11) * 0x1p-53;
    return *split == Split::all || (share < *test_share) == (*split == Split::test);
  }
};

}  // namespace weft

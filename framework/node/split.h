// How a source divides its samples into sets to train, to validate and to test with.
#pragma once

#include <string>
#include <vector>

#include "framework/node/node.h"

namespace weft {

enum class Split { all, train, validate, test };
inline std::vector<std::string> names(Split) {
  return {"all", "train", "validate", "test"};
}

// The place of a group on a circle of length 1, by a hash: groups lie evenly and stay where they
// are when others come or go.
inline double hashed(const std::string& group) {
  return static_cast<double>(Random::key(0, group) >> 11) * 0x1p-53;
}

struct SplitParams {
  Param<Split> split;
  Param<double> test_share, validate_share;
  Param<int64_t> folds, fold;

  explicit SplitParams(Node* owner)
      : split(owner, "split", "All samples, or those of one side: `train` is what others leave.",
              Split::all, chooses_samples()),
        test_share(owner, "test_share",
                   "The share of groups that the test set has, by a hash of the group.", 0.1,
                   chooses_samples(within(0, 1))),
        validate_share(owner, "validate_share",
                       "The share of groups that `validate` has, by the same hash.", 0,
                       chooses_samples(within(0, 1))),
        folds(owner, "folds",
              "Cut groups into so many sets of one size, of which one is the test set, instead of "
              "`test_share`; 0 does not.",
              0, chooses_samples(within(0, 1 << 20))),
        fold(owner, "fold", "The set to test with, from 0 on.", 0, chooses_samples(at_least(0))) {}

  // The test set begins on the circle where its fold does, and what validates lies behind it. Is a
  // sample of this group on the side that is asked for?
  bool wants(const std::string& group) const {
    const double test = *folds > 0 ? 1 / static_cast<double>(*folds) : *test_share;
    if (*fold > 0 && *fold >= *folds)
      throw Error("`fold` is " + std::to_string(*fold) + ", but must be below `folds`, " +
                  std::to_string(*folds));
    if (*split == Split::validate && *validate_share == 0)
      throw Error("`split: validate` needs a `validate_share`");
    if (test + *validate_share > 1)
      throw Error("the test set and `validate_share` take more than all groups");
    const double begin = static_cast<double>(*fold) * test, place = hashed(group);
    const double behind = place < begin ? place - begin + 1 : place - begin;
    const Split side = behind < test                     ? Split::test
                       : behind < test + *validate_share ? Split::validate
                                                         : Split::train;
    return *split == Split::all || *split == side;
  }
};

}  // namespace weft

// The gradients of weights: where nodes write them, and what is added up to make them.
#pragma once

#include <map>
#include <vector>

#include "framework/plan/plan.h"
#include "framework/run/buffer.h"

namespace weft {

// The rows of a weight that lie in a block. The block {0, -1} stands for all of a weight that is
// not cut.
Range extent(const Plan& plan, WeightId weight, Range block);

class Gradients {
 public:
  explicit Gradients(const Plan& plan);

  Tensor whole(size_t phase, WeightId weight) const { return phases_[phase].at(weight)[0].view; }
  // Where learn() writes: grad() is the block's rows of the weight's gradient, for the first use of
  // the weight; scratch() is those of a second tensor, for each other use, to be added to the
  // first.
  float* grad(size_t phase, WeightId weight, Range block) const;
  float* scratch(WeightId weight, Range block) const;
  // Where learn() writes in lanes: each lane of each use has a whole gradient. sum_shares() adds
  // the block's rows of all of them.
  float* share(size_t phase, WeightId weight, size_t index) const;
  void sum_shares(size_t phase, const PlanLearn& learn, Range block) const;

 private:
  const Plan& plan_;
  // By phase: the shares of each weight, whose sum goes into the first.
  std::vector<std::map<WeightId, std::vector<OwnedTensor>>> phases_;
  std::map<WeightId, OwnedTensor> scratch_;
};

}  // namespace weft

// The gradients of weights: where nodes write them, and what is added up to make them.
#pragma once

#include <map>
#include <vector>

#include "framework/plan/plan.h"
#include "framework/run/buffer.h"

namespace weft {

// The rows of a weight that a block has: a block {0, -1} is a weight that is not cut.
Range extent(const Plan& plan, WeightId weight, Range block);

class Gradients {
 public:
  explicit Gradients(const Plan& plan);

  Tensor whole(size_t phase, WeightId weight) const { return phases_[phase].at(weight)[0].view; }
  // Where learn() writes: the block's rows of a weight's gradient, or of a second one beside it.
  float* grad(size_t phase, WeightId weight, Range block) const;
  float* scratch(WeightId weight, Range block) const;
  // Where it writes in lanes: a whole gradient for each. sum_shares() adds the block's rows of all.
  float* share(size_t phase, WeightId weight, size_t index) const;
  void sum_shares(size_t phase, const PlanLearn& learn, Range block) const;

 private:
  const Plan& plan_;
  std::vector<std::map<WeightId, std::vector<OwnedTensor>>>
      phases_;  // shares: the first is the sum
  std::map<WeightId, OwnedTensor> scratch_;
};

}  // namespace weft

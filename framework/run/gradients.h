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

  // Where learn() writes: a part of the gradient (see PlanLearn), the block's rows of it, for the
  // first use of the weight; scratch() is those of a second tensor, for each other use of the
  // shard, to be added to the first.
  float* part(size_t phase, WeightId weight, size_t part, Range block) const;
  float* scratch(WeightId weight, Range block) const;
  // Adds up the parts of a shard. Returns where their sum is, null if there are none.
  float* sum_shard(size_t phase, const PlanLearn& learn, WeightId weight, int64_t shard,
                   Range block) const;

 private:
  const Plan& plan_;
  // By phase: the parts of each weight. Those of other processes have no memory.
  std::vector<std::map<WeightId, std::vector<OwnedTensor>>> phases_;
  std::map<WeightId, OwnedTensor> scratch_;
};

}  // namespace weft

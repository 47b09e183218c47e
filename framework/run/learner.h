// The learning side of a plan: gradients of weights, accumulation, clipping, optimizers, their
// slots.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/plan/plan.h"
#include "framework/run/weights.h"

namespace weft {

class Learner {
 public:
  Learner(const Plan& plan, const Registry& registry, Weights& model);

  // Sets scheduled params for this step of the training.
  void set_schedules(int64_t step);
  // Does the phase run in this step? Does it end in an update then?
  bool runs(size_t phase, int64_t step) const;
  bool updates(size_t phase, int64_t step) const;

  // Where learn() writes: the block's rows of a weight's gradient, or of a second one beside it.
  float* grad(size_t phase, WeightId weight, Range block);
  float* scratch(WeightId weight, Range block);
  // Where it writes in lanes: a whole gradient for each. sum_shares() adds the block's rows of all.
  float* share(size_t phase, WeightId weight, size_t index);
  void sum_shares(size_t phase, size_t learn, size_t block);

  // After the gradient of a block is whole, in any order, by any thread: accumulates and, unless
  // the phase clips, updates. A phase that clips notes the block's square sum in square(…), then
  // clip() once, then update() for every block.
  void finish_block(size_t phase, size_t learn, size_t block, int64_t step);
  void clip(size_t phase);
  void update(size_t phase, size_t learn, size_t block);
  // After the last block of the phase in a step with an update.
  void count_update(size_t phase) { ++phases_[phase].updates; }

  // For checkpoints: "PHASE.WEIGHT.SLOT", and the number of updates of each phase.
  std::vector<NamedTensor> tensors() const;
  nlohmann::json state() const;
  void load(const std::map<std::string, Tensor>& tensors, const nlohmann::json& state);

 private:
  struct Weight {  // of one phase
    const Optimizer* optimizer = nullptr;
    std::vector<Tensor> slots;
    Tensor grad, sum;            // sum: over the steps of an accumulation
    std::vector<Tensor> shares;  // of lanes; the first is grad itself
    std::vector<Buffer> memory;
  };
  struct Part {  // of a weight, in a block
    const Optimizer* optimizer;
    WeightId weight_id;
    int64_t size;
    float *weight, *grad, *sum;
    std::vector<float*> slots, shares;  // shares: to be added to grad
  };
  struct Block {
    std::vector<Part> parts;
    double square = 0;  // of the gradient
  };
  struct Phase {
    std::vector<std::unique_ptr<Node>> optimizers;
    std::map<WeightId, Weight> weights;
    std::vector<std::vector<Block>> blocks;  // by learn
    float scale = 1;                         // of the gradient, after clipping
    int64_t updates = 0;
  };

  void add_weight(size_t phase, WeightId weight);
  void add_blocks(size_t phase, const PlanLearn& learn);
  Range extent(WeightId weight, Range block) const;

  const Plan& plan_;
  Weights& model_;
  std::vector<Phase> phases_;
  std::map<WeightId, std::pair<Tensor, Buffer>> scratch_;
};

}  // namespace weft

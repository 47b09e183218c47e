// The updates of weights by their gradients: accumulation, clipping of both, and optimizers with
// what they keep.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/node/optimizer.h"
#include "framework/plan/plan.h"
#include "framework/run/gradients.h"
#include "framework/run/weights.h"

namespace weft {

class Updates {
 public:
  // If `check`, every update is watched: see checked_call.h.
  Updates(const Plan& plan, const Registry& registry, const Weights& weights,
          const Gradients& gradients, bool check);

  // Sets scheduled params for this step of the training.
  void set_schedules(int64_t step);
  // Does the phase run in this step, and does the step end in an update?
  bool runs(size_t phase, int64_t step) const;
  bool updates(size_t phase, int64_t step) const;

  // Called when the gradient of a block is complete, for blocks in any order, by any thread.
  // Accumulates the gradient and, unless the phase clips, updates the weights. If the phase clips,
  // it notes the square of the gradient's norm instead; then clip() is called once, then update()
  // for every block.
  void finish_block(size_t phase, size_t learn, size_t block, int64_t step);
  void clip(size_t phase);
  void update(size_t phase, size_t learn, size_t block, int64_t step);
  // Called after the last block of the phase, in a step with an update. States that are
  // copies of others are then made equal to them.
  void end_update(size_t phase, const Weights& weights);

  // For checkpoints: the slots, named "PHASE.WEIGHT.SLOT", and the number of updates of each phase.
  std::vector<NamedTensor> tensors() const;
  nlohmann::json state() const;
  void load(const std::map<std::string, Tensor>& tensors, const nlohmann::json& state);

 private:
  struct Kept {  // what a phase keeps for a weight
    const Optimizer* optimizer = nullptr;
    std::vector<OwnedTensor> slots;
    OwnedTensor sum;  // the gradients of the steps that are accumulated
  };
  struct Part {  // the rows of one weight in a block
    const Optimizer* optimizer;
    WeightId of;
    Shape shape;
    int64_t size;
    float *weight, *grad, *sum;
    std::vector<float*> slots;
    std::vector<std::pair<size_t, float*>> followers;  // which of plan.follows, and its rows
  };
  struct Block {
    std::vector<Part> parts;
    double square = 0;  // the gradient's squared norm
  };
  struct Phase {
    std::vector<std::unique_ptr<Node>> optimizers;
    std::map<WeightId, Kept> kept;
    std::vector<std::vector<Block>> blocks;  // by learn
    float scale = 1;                         // the factor by which clip() shortens the gradient
    int64_t updates = 0;
  };

  void keep(size_t phase, WeightId weight);
  void add_blocks(size_t phase, const PlanLearn& learn, const Weights& weights,
                  const Gradients& gradients);

  const Plan& plan_;
  const bool check_;
  std::vector<Phase> phases_;
  std::vector<float> decays_;  // of the followers, in this step
};

}  // namespace weft

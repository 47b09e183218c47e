// The updates of weights by their gradients: accumulation, clipping of both, and optimizers with
// what they keep.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "framework/node/optimizer.h"
#include "framework/plan/plan.h"
#include "framework/run/buckets.h"
#include "framework/run/gradients.h"
#include "framework/run/weights.h"

namespace weft {

// The sum of a weight's gradient over a subtree of shards, a block's rows of it.
struct TreeSum {
  Range tree;
  size_t weight;  // which of those that the block has
  int64_t size;
  float* numbers;
};

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

  // These are called for blocks in any order, by any thread. The first, when each shard of this
  // process has its gradient of the block: accumulates them. In a step with an update it then adds
  // them up, shard by shard, as far as it goes along the tree of shards.
  void accumulate(size_t phase, size_t learn, size_t block, int64_t step);
  // The second, in a step with an update: adds up all shards, and updates the weights. If the phase
  // clips, it notes the square of the gradient's norm instead; then clip() is called once, then
  // update() for every block.
  void finish(size_t phase, size_t learn, size_t block, int64_t step);
  void clip(size_t phase);
  double& square(size_t phase, size_t learn, size_t block);  // what finish() noted for clip()
  // Between the two processes may exchange their sums. These are a block's sums over the shards of
  // one of them: of this one where they are, of another how large they are, in the order in which
  // it has them. What another sends of a run, over a subtree, is put where finish() finds it.
  std::vector<TreeSum> sums(size_t phase, size_t learn, size_t block, int64_t rank) const;
  float* place(size_t phase, const BlockRun& run, Range tree);
  float* weight(size_t phase, size_t learn, size_t block, size_t weight) const;  // its rows
  bool followed(size_t phase, size_t learn, size_t block) const;  // does anything follow it?
  void update(size_t phase, size_t learn, size_t block, int64_t step);
  // Lets what follows a block do so; update() does it, too.
  void follow(size_t phase, size_t learn, size_t block);
  // Called after the last block of the phase, in a step with an update. States that are
  // copies of others are then made equal to them.
  void end_update(size_t phase, const Weights& weights);

  // What it keeps for a weight: slots, and the sum of accumulated steps for a shard. The first
  // process has memory for all, others for their shards'.
  std::vector<Tensor> slots(size_t phase, WeightId weight) const;
  Tensor sum(size_t phase, WeightId weight, int64_t shard) const;
  // For checkpoints: the slots, named "PHASE.WEIGHT.SLOT", and the number of updates of each phase.
  std::vector<NamedTensor> tensors() const;
  nlohmann::json state() const;
  void load(const std::map<std::string, Tensor>& tensors, const nlohmann::json& state);
  void load(const nlohmann::json& state);

 private:
  struct Kept {  // what a phase keeps for a weight
    const Optimizer* optimizer = nullptr;
    std::vector<OwnedTensor> slots;
    std::map<int64_t, OwnedTensor> sums;  // by shard: the gradients of accumulated steps
  };
  struct Shard {  // what comes from a shard, and the sum of it over accumulated steps or null
    int64_t number;
    float *grad, *sum;
  };
  struct Part {  // the rows of one weight in a block
    const Optimizer* optimizer;
    WeightId of;
    Shape shape;
    int64_t size;
    float* weight;
    float* grad = nullptr;  // of the batch, from finish() on
    std::vector<float*> slots;
    std::vector<Shard> shards;      // of this process
    std::vector<TreeSum> own, all;  // what is known after accumulate(), and before finish()
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
    std::map<std::tuple<size_t, size_t, int64_t, int64_t, int64_t>, Buffer> places;
    float scale = 1;  // the factor by which clip() shortens the gradient
    int64_t updates = 0;
  };

  void keep(size_t phase, WeightId weight);
  void add_blocks(size_t phase, const PlanLearn& learn, const Weights& weights,
                  const Gradients& gradients);

  void add_sums(const PlanLearn& learn, Block& block) const;
  std::vector<Range> subtrees_of(const PlanLearn& learn, int64_t rank) const;

  const Plan& plan_;
  const bool check_;
  std::vector<Phase> phases_;
  std::vector<float> decays_;  // of the followers, in this step
};

}  // namespace weft

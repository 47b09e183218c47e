// The node instances of a plan, for each lane, each block or the whole batch, and the binding of
// their ports to the plan's memory.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <vector>

#include "framework/plan/plan.h"
#include "framework/run/gradients.h"
#include "framework/run/spectral_norms.h"
#include "framework/run/weights.h"

namespace weft {

struct Instance {
  std::unique_ptr<Node> node;
  NodeId plan_node;
  int64_t lane = -1;              // -1: all rows, or those of a shard
  int64_t bound = -1;             // encodes phase, batch buffer and workspace it is bound to
  std::vector<WeightId> weights;  // by weight of the node; none if it is absent
};

// Instances that learn one block of weights from one shard of the batch: one for each use, in the
// plan's order.
struct ShardLearner {
  int64_t shard = 0;
  std::vector<Instance> uses;
};

// One block of weights, and the shards of this process that it learns from; none if lanes learn.
struct BlockLearner {
  size_t learn = 0, block = 0;
  std::vector<ShardLearner> shards;
};

// Memory for the tensors that a lane needs within one task only. There are as many workspaces as
// tasks of lanes can run at once: one for each thread or, if there are fewer, each lane. A thread
// takes one at most, so one is always free.
class Workspaces {
 public:
  Workspaces(size_t count, size_t bytes);
  std::byte* operator[](int workspace) const;  // null for -1, no workspace
  size_t count() const { return memory_.size(); }

  // Holds one workspace for as long as it lives. If possible a thread gets the same one again.
  struct Lease {
    explicit Lease(Workspaces& of) : of(of), number(of.take()) {}
    ~Lease() { of.taken_[static_cast<size_t>(number)] = false; }
    Lease(const Lease&) = delete;
    Workspaces& of;
    const int number;
  };

 private:
  int take();

  std::vector<Buffer> memory_;
  std::vector<std::atomic<bool>> taken_;
};

// A choice of rows: those of a lane, with the workspace of its task, or (-1) of a shard, or (-1)
// all that there is memory for.
struct Rows {
  int64_t lane = -1;
  int workspace = -1;
  int64_t shard = -1;
};

class Instances {
 public:
  Instances(const Plan& plan, const Registry& registry, Weights& model, const Gradients& gradients,
            const std::filesystem::path& output_dir, int threads);

  std::vector<Instance>& of(NodeId node) { return nodes_[node]; }
  Instance& in_lane(NodeId node, int64_t lane);  // -1 if it runs whole
  Instance& once(NodeId node);  // on all rows, for what is called once a step: observe, join
  std::vector<BlockLearner>& learners(size_t phase) { return learners_[phase]; }

  // Binds the instances that see the whole batch to their memory. `parity` says which of the two
  // data buffers holds this step's batch.
  void bind(size_t phase, int parity);
  // Binds a lane's instance to its rows, and to the workspace of its task.
  void bind_lane(Instance& instance, size_t phase, int parity, int workspace);
  void bind_data(int parity);  // binds the data's instances to that data buffer
  void set_schedules(int64_t step);

  // The memory of a value, of its gradient, and of the gradient that a node writes for its input.
  // Null where there is none.
  Tensor value(ValueId value, int parity, Rows rows = {}) const;
  Tensor grad(size_t phase, ValueId value, Rows rows = {}) const;
  Tensor input_grad(size_t phase, NodeId node, size_t input, Rows rows = {}) const;

  Workspaces workspaces;
  SpectralNorms norms;

 private:
  Tensor tensor(BufferId buffer, Rows rows) const;
  void bind(Instance& instance, size_t phase, int parity, Rows rows);
  // Notes what the instance is going to be bound to. Returns false if it is already.
  bool note_binding(Instance& instance, size_t phase, int parity, int workspace = -1);
  void bind_weights(Instance& instance, size_t phase);
  void add_learners(const Registry& registry, size_t phase, size_t learn);
  void bind_shard(const BlockLearner& learner, ShardLearner& shard, size_t use, size_t phase,
                  int parity);
  struct AnyPhase {  // what is true in at least one phase
    ByValue<bool> wanted;
    ByNode<bool> backward;
  };
  Instance make(const Registry& registry, NodeId node, int64_t lane, int64_t first_row = 0);
  void prepare(NodeId node, const AnyPhase& any);
  void add_once(const Registry& registry, NodeId node);
  void bind_summaries(const Instance& instance);

  const Plan& plan_;
  Weights& model_;
  const Gradients& gradients_;
  const std::filesystem::path output_dir_;
  Buffer arena_;
  ByNode<std::vector<Instance>> nodes_;
  std::vector<Instance> onces_;
  ByNode<std::vector<std::vector<double>>> summaries_;  // by summary
  std::vector<std::vector<BlockLearner>> learners_;     // by phase
  std::vector<std::pair<ParamBase*, const Schedule*>> schedules_;
  ByNode<bool> reads_data_;
  ByWeight<Tensor> weights_;
};

}  // namespace weft

// A section of a pipeline, ready to run: its nodes are loaded, wired and shaped, its lanes cut, its
// phases differentiated, and every tensor has its place in memory. A plan owns what it needs of the
// pipeline and has no threads. build_plan.h makes plans; nothing changes them afterwards.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/language/pipeline.h"
#include "framework/node/host.h"
#include "framework/node/source.h"
#include "framework/plan/ids.h"
#include "framework/plan/params.h"
#include "framework/plugin/registry.h"

namespace weft {

// The rows of a value, or those that a node works on: so many for each sample of the batch, or, if
// all samples share them, so many in all.
struct PlanRows {
  bool shared = false;
  int64_t each = 1;
  bool operator==(const PlanRows&) const = default;
  int64_t of(int64_t samples) const { return shared ? each : samples * each; }
};

// A value of the graph: the tensor that an output port of a node gives to its readers.
struct PlanValue {
  std::string path;  // "code.mean"
  Shape shape;
  DType dtype = DType::f32;
  PlanRows rows = {};
  NodeId node;      // the node that computes it
  size_t port = 0;  // which of the node's outputs it is
  struct Reader {
    NodeId node;
    size_t input;
  };
  std::vector<Reader> readers;
};

// One occurrence of a node kind, after modules and fragments are expanded.
struct PlanNode {
  std::string path;  // "code.h"; random numbers are keyed by "train/code.h"
  std::string kind;
  Place place;
  std::string module;   // the module that owns its weights, or ""
  std::string weights;  // the name that its weights start with: "encoder.h"
  PlanParams params;
  std::vector<size_t> lists;        // the length of each of its Ins
  std::vector<ValueId> inputs;      // by input; none if it is not wired
  std::vector<ValueId> outputs;     // by output
  std::vector<BufferId> saved;      // by saved value; none if it is absent
  std::vector<ValueId> remembered;  // saved values as values that a derivative reads, or empty
  NodeId derived_from;              // of a derivative: the node, whose summaries it reads
  Setting setting;                  // belongs to the instance that sees the whole batch
  std::unique_ptr<Node> node;       // that instance; all lanes share a source
  bool has_backward = false, has_learn = false;  // does the kind have these functions?
  bool laned = false;                            // does it run in lanes, with an instance for each?
  LoopId loop;                                   // the innermost loop around it
  // Does it write states in forward()? Then it runs once in a step.
  bool writes() const { return !has_backward && !make && !node->host().states.empty(); }
  PlanRows rows;                // of what it reads, but for shared values beside others
  Step seen(Step step) const {  // the step as the node sees it: with the rows that it works on
    step.rows = rows.of(step.rows);
    return step;
  }
  std::function<std::unique_ptr<Node>()> make;  // of the framework's own nodes: makes an instance
};

// Nodes that run many times within a step. `begin` hands out what is carried into a turn, `end`
// keeps what a turn gave: the two share the memory of it.
struct PlanLoop {
  int64_t times = 1;
  LoopId outer;  // the loop around it
  NodeId begin, end;
  size_t carried = 0;  // the first so many outputs of both
};

struct PlanWeight {
  std::string name;  // "encoder.h.weight"
  std::string module;
  Shape shape;
  Init init;
  bool spectral = false;  // nodes see it divided by its spectral norm
};

struct PlanState {
  std::string name;
  Shape shape;
  Init init;
};

// A module whose weights and states follow those of another.
struct PlanFollow {
  std::string module, leader;
  Schedule decay;
  ByWeight<WeightId> weights;  // by weight of the leader: its own
  using Names = std::vector<std::pair<std::string, std::string>>;  // the leader's, and its own
  Names states;
  Names
      copied;  // the states of these that the follower does not move itself, as it rests in `train`
};

// Nodes that share weights, and the blocks of weight rows, each of which one task learns.
struct PlanLearn {
  std::string weights;        // "encoder.h"
  std::vector<NodeId> nodes;  // those of them that have a gradient in the phase
  std::vector<WeightId> learned;
  std::vector<Range> blocks;  // rows of axis 0; one block if the weights cannot be cut alike
  bool in_lanes = false;  // does each lane write a part of the gradient, rather than each shard?
  // The gradient is added up from parts, each of which is a whole one: in lanes, one for each lane
  // of each node (Plan::part), else one for each shard. These are the parts of each shard, in the
  // order in which they are added. What a node writes that runs whole belongs to the first shard.
  std::vector<std::vector<size_t>> parts = {};

  std::optional<size_t> use(NodeId node) const;  // its index in `nodes`, if it is there
};

// A tensor in the plan's memory. `first` and `last` are the times of its first and last use:
// positions in the order of the whole step.
struct PlanBuffer {
  std::string name;
  Shape shape;
  DType dtype = DType::f32;
  int first = 0, last = 0;
  bool laned = false;  // each lane uses its own rows only, in order
  bool whole = false;  // something uses the rows of all lanes, those of other processes as well
  bool brief = false;  // each lane needs its rows within one task only: they lie in a workspace
  PlanRows rows = {};
  size_t offset = 0;  // bytes into the arena, or into a workspace
};

struct PlanItem {
  enum class Kind { observe, summarize, join, forward, seed, sum, backward } kind;
  NodeId node;                // but for seed and sum
  ValueId value;              // for seed and sum
  Pass pass = Pass::forward;  // of summarize and join: forward or backward
  LoopId loop;                // the innermost loop around it
  bool laned = false;
  // An even stage, 2·g, is group g of every lane; an odd one, 2·g + 1, waits for all lanes to leave
  // group g, and group g + 1 may wait for it; stage -1 waits for nothing.
  int stage = 0;
  int group() const { return stage / 2; }
};

// An optimizer of a phase, and the pattern that matches the names of its weights. A weight belongs
// to the first optimizer that matches it.
struct PlanOptimizer {
  std::string match;  // "*.bias"; the phase's own optimizer matches "*"
  std::string kind;
  Place place;
  PlanParams params;
  std::unique_ptr<const Node> node;  // tells which slots it has
};

struct PlanPhase {
  std::optional<PhaseDecl> decl;  // none if nothing learns, as in `evaluate`
  ValueId loss;
  std::vector<WeightId> updates;
  std::vector<PlanOptimizer> optimizers;
  ByValue<bool> wants;          // does a gradient flow into it?
  std::vector<PlanItem> items;  // the items of a step in which every phase runs
  std::vector<PlanLearn> learns;
  const PlanLearn* learn(NodeId node) const;  // the one of `learns` that has the node, or null
  ByValue<BufferId> grads;
  ByNode<std::vector<BufferId>> input_grads;  // by input: the parts that are summed into `grads`
};

// One of the processes that share a training.
struct PlanRank {
  int64_t number = 0, count = 1;
  bool operator==(const PlanRank&) const = default;
};

class Plan {
 public:
  Mode mode = Mode::train;
  std::string name;  // the pipeline's
  uint64_t seed = 0;
  Precision precision = Precision::f32;  // what products and convolutions multiply
  int64_t rows = 0;                      // rows of a batch
  int64_t lanes = 1;
  int64_t shards = 1;    // each of as many lanes
  PlanRank rank;         // the process that the plan is for
  Range own = {0, 1};    // the lanes that it runs
  int64_t steps = 0;     // the length of the training
  NodeId data;           // the node that is the section's data
  ById<PlanNode> nodes;  // in an order in which they can run
  ById<PlanLoop> loops;
  ById<PlanValue> values;
  ById<PlanWeight> weights;
  std::vector<PlanState> states;
  std::vector<PlanFollow> follows;  // of `train`
  std::vector<PlanPhase> phases;    // evaluate and generate have one, without a loss
  std::vector<std::pair<std::string, ValueId>> reports;
  std::vector<ValueId> writes;  // of nodes of `train` that are there for the states they write
  // What sources were given or learned of their data; a run stores it.
  std::shared_ptr<FittedMap> fitted = std::make_shared<FittedMap>();
  std::deque<FragmentDecl> fragments;  // taken from files, not from the pipeline
  ByNode<bool> needed;                 // does a loss, a report or a sink need it?
  ById<PlanBuffer> buffers;
  ByValue<BufferId> value_buffers;
  std::vector<BufferId> next_batch_buffers;  // by output of the data: where the next batch is read
  size_t arena = 0;                          // bytes
  size_t workspace = 0;  // bytes for each worker that takes a lane through a task

  const Source* source() const;
  int64_t steps_per_epoch() const;  // 1 without data
  // The rows that some lanes see: all of what is shared.
  Range rows_of(const PlanRows& of, Range lanes) const;
  Range lane_rows(const PlanRows& of, int64_t lane) const { return rows_of(of, {lane, lane + 1}); }
  Range shard_lanes(int64_t shard) const;
  Range own_shards() const { return own_shards(rank.number); }
  Range own_shards(int64_t rank) const;  // of another process
  Range own_lanes(int64_t rank) const;
  // The rows of a buffer for which this process has memory, and their bytes.
  Range kept_rows(const PlanBuffer& buffer) const;
  size_t size(const PlanBuffer& buffer) const;

  // The part of the gradient that a node writes in a lane; lane 0 if it runs whole.
  size_t part(const PlanLearn& learn, NodeId node, int64_t lane) const;
  // How many gradients of the size of the weights a process keeps: its parts, and without lanes one
  // for what further nodes add.
  size_t gradients(const PlanLearn& learn) const;

  // A new instance of a node with its params set, but not wired.
  std::unique_ptr<Node> bare(const Registry& registry, NodeId node) const;
  // The same, wired and shaped like the plan's own.
  std::unique_ptr<Node> instance(const Registry& registry, NodeId node) const;

  // The names that weights of followers start with, "teacher.h", by that of what they follow.
  std::vector<std::string> followers(const std::string& weights) const;
  bool within(LoopId inner, LoopId loop) const;    // is it that loop, or one inside?
  LoopId outermost(LoopId loop) const;             // none if `loop` is none
  int64_t turns(NodeId node) const;                // how often it runs in a step, at the most
  WeightId weight(const std::string& name) const;  // none if there is none
  NodeId measure(size_t report) const;             // the measure that makes the report, if one does
  bool observes(NodeId node) const;                // does the node observe each step?
  bool summarizes(NodeId node, Pass pass) const;   // has it a summary before this pass?
  const PlanOptimizer& optimizer(const PlanPhase& phase, WeightId weight) const;
  std::vector<std::string> notes() const;  // what nodes found: "train/data: 3 rows are left out"
  // Multiplications and additions that the gradients of a node's inputs take, and a whole step.
  double backward_flops(const PlanPhase& phase, NodeId node) const;
  double step_flops() const;
  size_t weight_bytes() const;
  // The memory of weights, gradients, optimizer slots, the arena and a workspace for each lane.
  size_t bytes() const;
};

const char* name(Mode mode);  // "train"

}  // namespace weft

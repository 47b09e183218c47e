// A section of a pipeline, ready to run: nodes loaded, wired and shaped; lanes cut; phases
// differentiated; every tensor given its place in memory. It owns what it needs of the pipeline; no
// threads yet. build_plan.h makes plans, which nothing changes after.
#pragma once

#include <algorithm>
#include <deque>
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

// A tensor that travels: an output port of a node.
struct PlanValue {
  std::string path;  // "code.mean"
  Shape shape;
  DType dtype = DType::f32;
  NodeId node;      // that computes it
  size_t port = 0;  // of its outputs
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
  std::string module;   // that owns its weights, or ""
  std::string weights;  // where they are kept: "encoder.h"
  PlanParams params;
  std::vector<size_t> lists;                     // lengths of its Ins
  std::vector<ValueId> inputs;                   // for each input; none if it is not wired
  std::vector<ValueId> outputs;                  // for each output
  std::vector<BufferId> saved;                   // for each saved value; none if it is absent
  Setting setting;                               // of the instance that sees the whole batch
  std::unique_ptr<Node> node;                    // that instance; a source is shared by all lanes
  bool has_backward = false, has_learn = false;  // does the kind have these functions?
  bool laned = false;                            // one instance for each lane
};

struct PlanWeight {
  std::string name;  // "encoder.h.weight"
  std::string module;
  Shape shape;
  Init init;
};

struct PlanState {
  std::string name;
  Shape shape;
  Init init;
};

// Nodes that share weights, and the block of weight rows each task learns.
struct PlanLearn {
  std::string weights;        // "encoder.h"
  std::vector<NodeId> nodes;  // its uses that have a gradient in the phase
  std::vector<WeightId> learned;
  std::vector<Range> blocks;  // of axis 0; one block if the weights cannot be cut alike
  bool in_lanes = false;      // each lane writes a part; a task of a block adds them

  // Gradients that are added up: of each lane of each use, or of the first use and any other.
  size_t shares(int64_t lanes) const {
    return in_lanes ? nodes.size() * static_cast<size_t>(lanes) : std::min<size_t>(nodes.size(), 2);
  }
  std::optional<size_t> use(NodeId node) const;  // which of its uses the node is, if it is one
};

// A tensor in the plan's memory. Times are positions in the order of the whole step.
struct PlanBuffer {
  std::string name;
  Shape shape;
  DType dtype = DType::f32;
  int first = 0, last = 0;
  bool laned = false;  // lanes touch only their own rows, in order
  bool brief = false;  // a lane needs its rows within one task only: they live in its workspace
  size_t offset = 0;   // bytes into the arena, or into a workspace
  size_t size() const { return static_cast<size_t>(shape.elements()) * bytes(dtype); }
};

struct PlanItem {
  enum class Kind { observe, forward, seed, sum, backward } kind;
  NodeId node;    // observe, forward, backward
  ValueId value;  // seed, sum
  bool laned = false;
  int stage = 0;  // see order.h
  // The group of lanes that the item is part of or comes right after.
  int group() const { return stage / 2; }
};

// An optimizer of a phase, and the weights whose names it takes: the first that matches a weight
// updates it.
struct PlanOptimizer {
  std::string match;  // "*.bias"; the phase's own optimizer matches "*"
  std::string kind;
  Place place;
  PlanParams params;
  std::unique_ptr<const Node> node;  // for its slots
};

struct PlanPhase {
  std::optional<PhaseDecl> decl;  // none of a pass, in which nothing learns
  ValueId loss;
  std::vector<WeightId> updates;
  std::vector<PlanOptimizer> optimizers;
  ByValue<bool> wants;          // does a gradient flow into it?
  std::vector<PlanItem> items;  // when every phase runs
  std::vector<PlanLearn> learns;
  const PlanLearn* learn(NodeId node) const;  // the one that the node takes part in, or null
  ByValue<BufferId> grads;
  ByNode<std::vector<BufferId>> input_grads;  // by input: what is summed into `grads`
};

class Plan {
 public:
  Mode mode = Mode::train;
  std::string name;  // of the pipeline
  uint64_t seed = 0;
  Precision precision = Precision::f32;  // of products
  int64_t rows = 0;                      // of a batch
  int64_t lanes = 1;
  int64_t steps = 0;     // of the training
  NodeId data;           // the node that is the section's data
  ById<PlanNode> nodes;  // in an order in which they can run
  ById<PlanValue> values;
  ById<PlanWeight> weights;
  std::vector<PlanState> states;
  std::vector<PlanPhase> phases;  // of evaluate and generate: one, without a loss
  std::vector<std::pair<std::string, ValueId>> reports;
  // What is known of data, given or learned: by any source, and what something reads, which a run
  // keeps.
  std::shared_ptr<FittedMap> fitted = std::make_shared<FittedMap>();
  FittedMap kept;
  std::deque<FragmentDecl> fragments;  // that the pipeline itself does not hold
  ByNode<bool> needed;                 // does a loss, a report or a sink need it?
  ById<PlanBuffer> buffers;
  ByValue<BufferId> value_buffers;
  std::vector<BufferId> next_batch_buffers;  // by output of the data: the batch read ahead
  size_t arena = 0;                          // bytes
  size_t workspace = 0;  // bytes of each worker that takes a lane through a task

  const Source* source() const;
  int64_t steps_per_epoch() const;  // 1 without data
  Range lane_rows(const Shape& shape, int64_t lane) const;

  // A new instance of a node, wired and shaped like the plan's own.
  std::unique_ptr<Node> instance(const Registry& registry, NodeId node) const;

  WeightId weight(const std::string& name) const;  // none if there is none
  NodeId measure(size_t report) const;             // that makes the report, if one does
  bool observes(NodeId node) const;                // does the node observe each step?
  const PlanOptimizer& optimizer(const PlanPhase& phase, WeightId weight) const;
  std::vector<std::string> notes() const;  // of the nodes: "train/data: 3 rows are left out"
  // Multiplications and additions: of the gradients of a node's inputs, of a whole step.
  double backward_flops(const PlanPhase& phase, NodeId node) const;
  double step_flops() const;
  size_t weight_bytes() const;
  // Of weights, gradients, optimizer slots, the arena and a workspace for each lane.
  size_t bytes() const;
};

const char* name(Mode mode);  // "train"

}  // namespace weft

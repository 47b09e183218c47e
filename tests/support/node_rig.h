// One node outside any pipeline: the framework's part in its life, for tests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/node_case.h"

namespace weft::tests {

struct RigOptions {
  Mode mode = Mode::train;
  std::vector<int64_t> lanes;  // rows of each lane; none: one lane
  int64_t blocks = 1;          // of weight rows
  int64_t rows = -1;           // that hold samples; -1: all
  int64_t step = 0;
  uint64_t key = 42;  // of random numbers
  bool frozen = false;
};

// Runs a node in lanes and blocks, as the framework does. Whatever the node must write starts as
// NaN. All arrays show the whole batch.
class NodeRig {
 public:
  struct Value {
    std::string name;
    Array value, grad;
    bool wants_grad = false;
  };

  NodeRig(const NodeKind& kind, NodeCase node, const RigOptions& options = {});

  void forward();   // of a measure: a pass of one batch
  void backward();  // from the outputs' gradients, which it may destroy
  void learn();

  const Node& node() const { return *whole_; }
  std::vector<Value> inputs, outputs, weights;
  std::vector<Array> saved, states;
  Array& output(const std::string& name);
  Array& weight(const std::string& name);
  Array& state(const std::string& name);

 private:
  bool training() const { return options_.mode == Mode::train; }
  std::unique_ptr<Node> instance(int64_t first_row) const;
  void hold_inputs();
  void hold_outputs();
  void hold_weights();
  void bind(Node& node, Range rows);
  void add_lanes();
  void add_learners();
  void learn_in_lanes();
  void learn_all();
  template <class F>
  void without_forward_only(F f);
  std::vector<Range> blocks() const;

  const NodeKind& kind_;
  NodeCase case_;
  RigOptions options_;
  Step step_;
  std::filesystem::path folder_;
  int64_t rows_ = 1;
  std::unique_ptr<Node> whole_;
  std::vector<std::unique_ptr<Node>> lanes_, learners_;
  std::vector<std::vector<Array>> parts_;  // by lane and weight, if it learns in lanes
};

// The weight after each of several updates by an optimizer that sees it in `blocks` blocks.
std::vector<Array> run_updates(const NodeKind& kind, const nlohmann::json& params, Array weight,
                               std::vector<Array> grads, int64_t blocks = 1);

}  // namespace weft::tests

// One node outside any pipeline: the framework's part in its life.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "framework/run/work.h"
#include "framework/trial/node_case.h"

namespace weft::trial {

struct RigOptions {
  Mode mode = Mode::train;
  std::vector<int64_t> lanes;  // rows of each lane; none: one lane
  int64_t blocks = 1;          // of weight rows
  int64_t rows = -1;           // that hold samples; -1: all
  int64_t step = 0;
  uint64_t seed = 1;  // of weights, states and random numbers
  bool frozen = false;
  bool twice = false;                 // have tangents, and gradients of gradients
  std::string constant = {};          // the input that wants no gradient; "": none
  std::filesystem::path folder = {};  // of a sink's files
  Stage stage = {};                   // is told before each call: "in forward()"
};

// Runs a node in lanes and blocks, as the framework does, each call under watch: it throws Breach
// if the call does not keep the contract. Whatever the node must write starts as what it never
// writes. All arrays show the whole batch.
class NodeRig {
 public:
  struct Value {
    std::string name;
    Array value, grad;
    bool wants_grad = false;
    Array tangent = {};
  };

  NodeRig(const NodeKind& kind, NodeCase node, const RigOptions& options = {});

  void observe();   // what comes first in a step, if the node asks for it
  void forward();   // of a measure: a pass of one batch
  void backward();  // from the outputs' gradients, which it may destroy
  void learn();
  // From the tangents of inputs and the gradients of outputs.
  void backward_twice();
  void learn_twice();
  void finish();  // of a sink

  const Node& node() const { return *whole_; }
  bool observes() const { return observer_ != nullptr; }
  Step step;
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
  bool shared(const Array& array) const { return rows_ > 1 && array.shape.rows() == 1; }
  Tensor seen(Array& array, Range rows) const;
  void bind(Node& node, Range rows);
  void add_lanes();
  void add_observer();
  void hold_summaries();
  void summarize(Pass pass);
  void add_learners();
  void learn_in_lanes();
  void learn(const char* name, void (Node::*function)(const Step&));
  void prepare(Node& node, Pass pass) const;
  void call(const char* name) const;
  void watch(Node& node, Work work, void (Node::*function)(const Step&)) const;
  std::vector<Range> blocks() const;

  const NodeKind& kind_;
  NodeCase case_;
  RigOptions options_;
  int64_t rows_ = 1;
  std::unique_ptr<Node> whole_, observer_, joiner_;
  std::vector<std::vector<double>> summaries_;
  std::vector<std::unique_ptr<Node>> lanes_, learners_;
  std::vector<std::vector<Array>> parts_;  // by lane and weight, if it learns in lanes
};

// The weight after each of several updates by an optimizer that sees it in `blocks` blocks of rows,
// or whole if it must.
std::vector<Array> run_updates(const NodeKind& kind, const Yaml& params, Array weight,
                               std::vector<Array> grads, int64_t blocks = 1,
                               const Stage& stage = {});

}  // namespace weft::trial

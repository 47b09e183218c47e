// The nodes that a value `{gradient: score, of: x}` is made of: the derivative of a node as a node
// of its own, and what it begins with and adds up.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/node/host.h"
#include "framework/plan/plan.h"

namespace weft {

// What of a node its derivative is about.
struct DerivativeOf {
  struct Input {
    bool wired = false, read = false;  // by backward() or learn()
    bool on_path = false;              // is its gradient asked for?
    Shape shape;                       // of the whole batch
    PlanRows rows;
    DType dtype = DType::f32;
    bool grad = false;  // does the derivative depend on it?
    bool taken() const { return read || grad; }
  };
  struct Output {
    bool read = false, on_path = false;  // is its gradient given?
    Shape shape;
    PlanRows rows;
  };
  std::function<std::unique_ptr<Node>()> make;  // the node, its lists and params set, not inferred
  Setting setting;
  std::vector<Input> ins;
  std::vector<Output> outs;
  std::vector<bool> saved;  // is the value there?
  bool sums = false;        // is a gradient asked for of what all samples share?
};

// backward() of a node as a forward pass: from what the node read, wrote and saved and from the
// gradients of outputs to the gradients of inputs. It has the node's own weights. Its own backward
// half is the node's backward_twice() and learn_twice().
class Derivative final : public Node {
 public:
  explicit Derivative(std::shared_ptr<const DerivativeOf> of);
  ~Derivative() override;

  void infer() override;
  void prepare(Pass pass) override;
  void forward(const Step& step) override;
  void backward(const Step& step) override;
  void learn(const Step& step) override;
  bool whole_batch() const override { return node_->whole_batch() || of_->sums; }
  bool learns_in_lanes() const override { return node_->learns_in_lanes(); }
  double flops() const override;

 private:
  struct Input {
    std::unique_ptr<In> value;  // null if it is not wired, or not read
    std::unique_ptr<Out> grad;  // null if it is not on the path
  };
  struct Output {
    std::unique_ptr<In> value;  // null if it is not read
    std::unique_ptr<In> grad;   // null if no gradient is given
  };
  bool linear() const { return node_->twice() == Twice::linear; }
  void bind_values();
  void bind_tangents();
  Tensor saved(size_t i);
  Tensor grad(size_t i);
  void reserve();
  void along(const Step& step);

  std::shared_ptr<const DerivativeOf> of_;
  std::unique_ptr<Node> node_;
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
  std::vector<std::unique_ptr<In>> saved_;
  // By output, gradients that the node may overwrite and tangents that nobody reads; by input, the
  // tangents of those that are not on the path.
  std::vector<std::vector<float>> grads_, tangents_, zeros_;
  std::vector<std::vector<std::byte>> copies_;  // by saved value
};

// d score / d score: 1 for each number of the score of a sample.
class Ones final : public Node {
 public:
  void infer() override;
  void forward(const Step&) override;

 private:
  In score{this, "score", "Any shape.", {.grad = false}};
  Out y{this, "y", "Shaped as `score`."};
};

// The gradient of a value that several nodes read.
class GradientSum final : public Node {
 public:
  explicit GradientSum(size_t readers);
  void infer() override;
  void forward(const Step&) override;
  void backward(const Step&) override;

 private:
  std::vector<std::unique_ptr<In>> xs_;
  Out y{this, "y", "Shaped as each of `xs`."};
};

}  // namespace weft

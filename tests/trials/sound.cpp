// Nodes that are as they should be, and say what a test cannot know.
#include <algorithm>
#include <cmath>

#include "framework/node/plugin.h"

namespace weft {
namespace {

class Matrix1 : public Node {
 public:
  In x{this, "x", "Any shape but []."};
  Out y{this, "y", "As x."};
  void infer() override {
    if (x.shape().rank() == 0) throw Error("`x` is [], but must be [batch, ...]");
    y.shape(x.shape());
  }
  void scale(const float* from, float* to, float factor) const {
    for (int64_t i = 0; i < x.size(); ++i) to[i] = factor * from[i];
  }
};

// Bengio et al. 2013, arXiv:1308.3432: a straight-through estimator.
class StraightThrough final : public Matrix1 {
  void forward(const Step&) override {
    for (int64_t i = 0; i < x.size(); ++i) y.data()[i] = std::round(4 * x.data()[i]) / 4;
  }
  void backward(const Step&) override { scale(y.grad(), x.grad(), 1); }
};
WEFT_NODE(StraightThrough, "straight_through", "Rounds.", "{x: [5, 3]}", .exact_gradient = false)

// Divides by the running largest number, which a step moves before its lanes.
class Normalised final : public Matrix1 {
  State largest{this, "largest", "Of all batches."};
  Observes observes() const override { return Observes::batch; }
  void infer() override {
    Matrix1::infer();
    largest.shape({1}, Init::constant(1));
  }
  void observe(const Step& step) override {
    for (int64_t i = 0; i < std::min(step.rows, x.rows()) * x.row_size(); ++i)
      largest.data()[0] = std::max(largest.data()[0] + 0.01F, std::abs(x.data()[i]));
  }
  void forward(const Step&) override { scale(x.data(), y.data(), 1 / largest.data()[0]); }
  void backward(const Step&) override { scale(y.grad(), x.grad(), 1 / largest.data()[0]); }
};
WEFT_NODE(Normalised, "normalised", "By what it observed.", "{x: [5, 3]}", .follows_state = true)

// Rahimi and Recht 2007: a frequency that is drawn once.
class Frequency final : public Matrix1 {
  State omega{this, "omega", "The frequency."};
  void infer() override {
    Matrix1::infer();
    omega.shape({1}, Init::normal(1));
  }
  void forward(const Step&) override {
    for (int64_t i = 0; i < x.size(); ++i) y.data()[i] = std::cos(omega.data()[0] * x.data()[i]);
  }
  void backward(const Step&) override {
    const float w = omega.data()[0];
    for (int64_t i = 0; i < x.size(); ++i)
      x.grad()[i] = -w * std::sin(w * x.data()[i]) * y.grad()[i];
  }
};
WEFT_NODE(Frequency, "frequency", "cos(omega x).", "{x: [5, 3]}", .fixed_state = true)

}  // namespace
}  // namespace weft

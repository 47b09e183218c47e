// Nodes that are as they should be, and say what a test cannot know.
#include <algorithm>
#include <cmath>

#include "framework/node/optimizer.h"
#include "framework/node/plugin.h"
#include "tests/trials/as_x.h"

namespace weft {
namespace {

// With what most of them do.
class Scaling : public AsX {
 public:
  void scale(const float* from, float* to, float factor) const {
    for (int64_t i = 0; i < x.size(); ++i) to[i] = factor * from[i];
  }
};

// Bengio et al. 2013, arXiv:1308.3432: a straight-through estimator.
class StraightThrough final : public Scaling {
  void forward(const Step&) override {
    for (int64_t i = 0; i < x.size(); ++i) y.data()[i] = std::round(4 * x.data()[i]) / 4;
  }
  void backward(const Step&) override { scale(y.grad(), x.grad(), 1); }
};
WEFT_NODE(StraightThrough, "straight_through", "Rounds.", "{x: [5, 3]}", .inexact = "y")

// Divides by the running largest number, which a step moves before its lanes.
class Normalised final : public Scaling {
  State largest{this, "largest", "Of all batches."};
  Observes observes() const override { return Observes::batch; }
  void infer() override {
    Scaling::infer();
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
class Frequency final : public Scaling {
  State omega{this, "omega", "The frequency."};
  void infer() override {
    Scaling::infer();
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

// Two outputs, of which one goes straight through.
class Halves final : public Scaling {
  Out rounded{this, "rounded", "As x."};
  void infer() override {
    Scaling::infer();
    rounded.shape(x.shape());
  }
  void forward(const Step&) override {
    scale(x.data(), y.data(), 0.5F);
    for (int64_t i = 0; i < x.size(); ++i) rounded.data()[i] = std::round(4 * x.data()[i]) / 4;
  }
  void backward(const Step&) override {
    for (int64_t i = 0; i < x.size(); ++i) x.grad()[i] = 0.5F * y.grad()[i] + rounded.grad()[i];
  }
};
WEFT_NODE(Halves, "halves", "One exact, one not.", "{x: [5, 3]}", .inexact = "rounded")

// You et al. 2017, arXiv:1708.03888: a step as long as the weight.
class Lars final : public Optimizer {
  bool whole_weight() const override { return true; }
  void update(const Update& u) const override {
    double weight = 0, grad = 0;
    for (int64_t i = 0; i < u.size(); ++i)
      weight += std::pow(static_cast<double>(u.weight[i]), 2),
          grad += std::pow(static_cast<double>(u.grad[i]), 2);
    const auto ratio = static_cast<float>(std::sqrt(weight / (grad + 1e-12)));
    for (int64_t i = 0; i < u.size(); ++i) u.weight[i] -= 0.01F * ratio * u.grad[i];
  }
};
WEFT_NODE(Lars, "lars", "By the norm of the weight.", "{}")

// Undoes what a source did.
class Restored final : public Scaling {
  float factor() const {
    const auto known = fitted("scale of `x`");
    if (!known) throw Error("no source has a scale of `x`");
    return std::stof(*known);
  }
  void infer() override {
    Scaling::infer();
    factor();
  }
  void forward(const Step&) override { scale(x.data(), y.data(), factor()); }
  void backward(const Step&) override { scale(y.grad(), x.grad(), factor()); }
};
WEFT_NODE(Restored, "restored", "x times what a source learned.",
          "{x: [5, 3], fitted: {scale of `x`: 3}}")

}  // namespace
}  // namespace weft

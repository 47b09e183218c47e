#include <cmath>

#include "framework/node/elementwise.h"

namespace weft {
namespace {

// Charbonnier et al. 1994, "Two deterministic half-quadratic regularization algorithms".
class Charbonnier final : public ElementwiseLoss {
 public:
  Charbonnier() : ElementwiseLoss("[batch, ...]", "Shaped as `x`.") {}

 private:
  Param<double> eps{this, "eps", "Errors below it count as squares.", 0.1, above(0)};

  float root(float error) const {
    const auto e = static_cast<float>(*eps);
    return std::sqrt(error * error + e * e);
  }

  void forward(const Step&) override {
    const int64_t n = x.row_size();
    for (int64_t row = 0; row < x.rows(); ++row) {
      float sum = 0;
      for (int64_t i = row * n; i < (row + 1) * n; ++i)
        sum += root(x.data()[i] - target.data()[i]) - static_cast<float>(*eps);
      y.data()[row] = share() * sum;
    }
  }

  void backward(const Step&) override {
    for (int64_t i = 0, n = x.size(); i < n; ++i) {
      const float error = x.data()[i] - target.data()[i];
      const float slope = share() * y.grad()[i / x.row_size()] * error / root(error);
      if (x.wants_grad()) x.grad()[i] = slope;
      if (target.wants_grad()) target.grad()[i] = -slope;
    }
  }
};

WEFT_NODE(Charbonnier, "charbonnier", "√(error² + eps²) - eps, one value for each sample.",
          "{x: [4, 3, 5], target: [4, 3, 5]}")

}  // namespace
}  // namespace weft

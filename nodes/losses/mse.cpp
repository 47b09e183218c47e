#include "framework/node/elementwise.h"

namespace weft {
namespace {

WEFT_SIMD float squared_error(const float* __restrict x, const float* __restrict t, int64_t n) {
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) sum += (x[i] - t[i]) * (x[i] - t[i]);
  return sum;
}

WEFT_SIMD void squared_error_backward(const float* __restrict x, const float* __restrict t,
                                      float grad_y, float* __restrict grad, int64_t n) {
  for (int64_t i = 0; i < n; ++i) grad[i] = grad_y * 2 * (x[i] - t[i]);
}

class Mse final : public ElementwiseLoss {
 public:
  Mse() : ElementwiseLoss("[batch, ...]", "Shaped as `x`.") {}

 private:
  void forward(const Step&) override {
    const int64_t n = x.row_size();
    for (int64_t i = 0; i < y.rows(); ++i)
      y.data()[i] = share() * squared_error(x.data() + i * n, target.data() + i * n, n);
  }

  void backward(const Step&) override {
    backward_towards(x, target);
    backward_towards(target, x);
  }

  void backward_towards(const In& a, const In& b) const {
    const int64_t n = a.row_size();
    if (a.wants_grad())
      for (int64_t i = 0; i < y.rows(); ++i)
        squared_error_backward(a.data() + i * n, b.data() + i * n, share() * y.grad()[i],
                               a.grad() + i * n, n);
  }
};

WEFT_NODE(Mse, "mse", "Squared error, one value for each sample.",
          "{x: [4, 3, 5], target: [4, 3, 5]}")

}  // namespace
}  // namespace weft

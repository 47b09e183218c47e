#include "framework/node/elementwise.h"

namespace weft {
namespace {

// The sum of -t ln σ(x) - (1 - t) ln(1 - σ(x)) = softplus(x) - x t.
WEFT_SIMD float cross_entropy(const float* __restrict x, const float* __restrict t, int64_t n) {
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) sum += simd::softplus(x[i]) - x[i] * t[i];
  return sum;
}

WEFT_SIMD void cross_entropy_backward(const float* __restrict x, const float* __restrict t,
                                      float grad_y, float* __restrict grad, int64_t n) {
  for (int64_t i = 0; i < n; ++i) grad[i] = grad_y * (simd::sigmoid(x[i]) - t[i]);
}

class BceWithLogits final : public ElementwiseLoss {
 public:
  BceWithLogits()
      : ElementwiseLoss("Logits, [batch, ...].", "Probabilities in [0, 1], shaped as `x`.",
                        {.grad = false}) {}

 private:
  void forward(const Step&) override {
    const int64_t n = x.row_size();
    for (int64_t i = 0; i < y.rows(); ++i)
      y.data()[i] = share() * cross_entropy(x.data() + i * n, target.data() + i * n, n);
  }

  void backward(const Step&) override {
    const int64_t n = x.row_size();
    if (x.wants_grad())
      for (int64_t i = 0; i < y.rows(); ++i)
        cross_entropy_backward(x.data() + i * n, target.data() + i * n, share() * y.grad()[i],
                               x.grad() + i * n, n);
  }
};

WEFT_NODE(BceWithLogits, "bce_with_logits",
          "Binary cross entropy of sigmoid(x) and a target, one value for each sample.",
          "{x: [4, 3, 5], target: [4, 3, 5], reduce: sum_per_sample}")

}  // namespace
}  // namespace weft

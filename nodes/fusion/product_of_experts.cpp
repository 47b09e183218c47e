#include <algorithm>

#include "framework/node/softmax.h"
#include "nodes/fusion/fusion.h"

namespace weft {
namespace {

WEFT_SIMD void add_shifted(const float* __restrict x, float less, float* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] += x[i] - less;
}

// The product of experts of Hinton 2002, Neural Computation 14(8), eq. 1, without its denominator.
class ProductOfExperts final : public ClassFusion {
 public:
  ProductOfExperts() : ClassFusion("Σ log_softmax(x), shaped as each of `xs`; logits in turn.") {}

 private:
  Saved log_sum{this, "log_sum", "ln Σ exp(x) of each expert, [batch, ..., experts]."};

  void infer() override {
    ClassFusion::infer();
    log_sum.shape(y.shape().with_back(static_cast<int64_t>(xs.size())));
  }

  // Calls f(expert, offset of a row of classes, pointer to the row's log_sum or null).
  template <class F>
  void each_row(F f) const {
    float* sum = log_sum.data();
    for (int64_t at = 0; at < y.size(); at += classes())
      for (const auto& x : xs) f(*x, at, sum ? sum++ : nullptr);
  }

  void forward(const Step&) override {
    std::fill_n(y.data(), y.size(), 0.0F);
    each_row([&](const In& x, int64_t at, float* sum) {
      const float all = log_sum_exp(x.data() + at, classes());
      add_shifted(x.data() + at, all, y.data() + at, classes());
      if (sum) *sum = all;
    });
  }

  void backward(const Step&) override {
    each_row([&](const In& x, int64_t at, const float* sum) {
      if (x.wants_grad())
        log_softmax_backward(x.data() + at, *sum, y.grad() + at, x.grad() + at, classes());
    });
  }
};

WEFT_NODE(ProductOfExperts, "product_of_experts",
          "The product of the experts' probabilities, as unnormalised logarithms.",
          "{xs: [[4, 3, 5], [4, 3, 5]]}")

}  // namespace
}  // namespace weft

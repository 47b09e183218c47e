#include <algorithm>

#include "framework/node/softmax.h"
#include "nodes/fusion/fusion.h"

namespace weft {
namespace {

WEFT_SIMD void add_probabilities(const float* __restrict x, float log_sum, float by,
                                 float* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] += by * simd::exp(x[i] - log_sum);
}

class Vote final : public ClassFusion {
 public:
  Vote()
      : ClassFusion(
            "Experts whose best class it is, plus half its mean probability: of classes with as "
            "many votes the likelier is ahead.",
            {.grad = false}) {}

 private:
  void forward(const Step&) override {
    const float share = 0.5F / static_cast<float>(xs.size());
    std::fill_n(y.data(), y.size(), 0.0F);
    for (const auto& x : xs)
      for (int64_t at = 0; at < y.size(); at += classes()) {
        const float* row = x->data() + at;
        add_probabilities(row, log_sum_exp(row, classes()), share, y.data() + at, classes());
        y.data()[at + (std::max_element(row, row + classes()) - row)] += 1;
      }
  }
};

WEFT_NODE(Vote, "vote", "The votes of several experts for each class.",
          "{xs: [[4, 5], [4, 5], [4, 5]]}")

}  // namespace
}  // namespace weft

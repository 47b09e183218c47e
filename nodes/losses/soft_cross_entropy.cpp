#include <algorithm>

#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "framework/node/softmax.h"

namespace weft {
namespace {

// grad = by (Σ p · softmax(x) - p)
WEFT_SIMD void error(const float* __restrict x, const float* __restrict p, float log_sum,
                     float total, float by, float* __restrict grad, int64_t n) {
  for (int64_t i = 0; i < n; ++i) grad[i] = by * (total * simd::exp(x[i] - log_sum) - p[i]);
}
// grad = by (log_sum - x)
WEFT_SIMD void surprise(const float* __restrict x, float log_sum, float by, float* __restrict grad,
                        int64_t n) {
  for (int64_t i = 0; i < n; ++i) grad[i] = by * (log_sum - x[i]);
}

// As in Hinton et al. 2015, arXiv:1503.02531, section 2.
class SoftCrossEntropy final : public Node {
  In logits{this, "logits", "[batch, ..., classes]"};
  In target{this, "target", "Probabilities of the classes, shaped as `logits`."};
  Out y{this, "y",
        "[batch]; -Σ target ln softmax(logits), mean over a sample's positions, in nats."};

  int64_t classes() const { return logits.shape().back(); }
  int64_t positions() const { return logits.row_size() / classes(); }

  void infer() override {
    const Shape& from = logits.shape();
    if (from.rank() < 2 || classes() == 0 || target.shape() != from)
      throw Error("`logits` is " + from.str() + " and `target` is " + target.shape().str() +
                  ", but both must be [batch, ..., classes]");
    y.shape({from.rows()});
    y.forward_only();
  }

  void forward(const Step&) override {
    const int64_t c = classes();
    for (int64_t row = 0; row < y.rows(); ++row) {
      float sum = 0;
      for (int64_t i = row * positions(); i < (row + 1) * positions(); ++i) {
        const float *x = logits.data() + i * c, *p = target.data() + i * c;
        sum += log_sum_exp(x, c) * sum_of(p, c) - dot(p, x, c);
      }
      y.data()[row] = sum / static_cast<float>(positions());
    }
  }

  void backward(const Step&) override {
    const int64_t c = classes();
    for (int64_t i = 0; i < y.rows() * positions(); ++i) {
      const float *x = logits.data() + i * c, *p = target.data() + i * c;
      const float by = y.grad()[i / positions()] / static_cast<float>(positions());
      const float log_sum = log_sum_exp(x, c);
      if (logits.wants_grad()) error(x, p, log_sum, sum_of(p, c), by, logits.grad() + i * c, c);
      if (target.wants_grad()) surprise(x, log_sum, by, target.grad() + i * c, c);
    }
  }
};

WEFT_NODE(SoftCrossEntropy, "soft_cross_entropy",
          "Cross entropy of softmax(logits) and probabilities, such as a teacher's.",
          "{logits: [4, 3, 5], target: {shape: [4, 3, 5], above: 0}}")

}  // namespace
}  // namespace weft

#include <cmath>
#include <limits>

#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"

namespace weft {
namespace {

WEFT_SIMD float log_sum_exp(const float* __restrict x, int64_t n) {
  float most = x[0], sum = 0;
  WEFT_MAX(most)
  for (int64_t i = 0; i < n; ++i) most = x[i] > most ? x[i] : most;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) sum += simd::exp(x[i] - most);
  return most + std::log(sum);
}

WEFT_SIMD float mean_of(const float* __restrict x, int64_t n) {
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) sum += x[i];
  return sum / static_cast<float>(n);
}

// grad = grad_y (softmax(x) - share)
WEFT_SIMD void softmax_error(const float* __restrict x, float log_sum, float share, float grad_y,
                             float* __restrict grad, int64_t n) {
  for (int64_t i = 0; i < n; ++i) grad[i] = grad_y * (simd::exp(x[i] - log_sum) - share);
}

class CrossEntropy final : public Node {
  In logits{this, "logits", "[batch, ..., classes]"};
  In label{this,
           "label",
           "The right class of each place, [batch, ...], in [0, classes).",
           {.dtype = DType::i32, .grad = false}};
  Out y{this, "y",
        "[batch]; mean over a sample's places, in nats; NaN if a label is out of range."};
  Param<double> label_smoothing{this, "label_smoothing",
                                "Share of the target given to all classes alike.", 0, within(0, 1)};
  Saved log_sum{this, "log_sum", "ln Σ exp(logits) of each place, shaped as `label`."};

  int64_t classes() const { return logits.shape().back(); }
  bool known(int32_t label) const { return label >= 0 && label < classes(); }

  void infer() override {
    const Shape &x = logits.shape(), &t = label.shape();
    bool fits = x.rank() >= 2 && t.rank() + 1 == x.rank() && x.back() > 0;
    for (size_t axis = 0; fits && axis < t.rank(); ++axis) fits = x[axis] == t[axis];
    if (!fits)
      throw Error("`logits` is " + x.str() + " and `label` is " + t.str() +
                  ", but must be [batch, ..., classes] and [batch, ...]");
    y.shape({x.rows()});
    log_sum.shape(t);
  }

  void forward(const Step&) override {
    const auto smooth = static_cast<float>(*label_smoothing);
    const int64_t places = label.row_size(), c = classes();
    for (int64_t row = 0; row < y.rows(); ++row) {
      float sum = 0;
      for (int64_t i = row * places; i < (row + 1) * places; ++i) {
        const float* x = logits.data() + i * c;
        const float all = log_sum_exp(x, c);
        const int32_t t = label.ints()[i];
        const float right = known(t) ? x[t] : std::numeric_limits<float>::quiet_NaN();
        sum += all - (1 - smooth) * right - (smooth > 0 ? smooth * mean_of(x, c) : 0);
        if (training()) log_sum.data()[i] = all;
      }
      y.data()[row] = sum / static_cast<float>(places);
    }
  }

  void backward(const Step&) override {
    if (!logits.wants_grad()) return;
    const auto smooth = static_cast<float>(*label_smoothing);
    const int64_t places = label.row_size(), c = classes();
    for (int64_t i = 0; i < label.size(); ++i) {
      const float grad_y = y.grad()[i / places] / static_cast<float>(places);
      float* grad = logits.grad() + i * c;
      softmax_error(logits.data() + i * c, log_sum.data()[i], smooth / static_cast<float>(c),
                    grad_y, grad, c);
      const int32_t t = label.ints()[i];
      if (known(t)) grad[t] -= grad_y * (1 - smooth);
    }
  }
};

WEFT_NODE(CrossEntropy, "cross_entropy",
          "Cross entropy of softmax(logits) and a class, one value for each sample.",
          "{logits: [4, 5], label: {shape: [4], below: 5}, label_smoothing: 0.1}")

}  // namespace
}  // namespace weft

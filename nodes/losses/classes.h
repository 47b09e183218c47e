// The base of losses that compare softmax(logits) with a class, with one value for each sample.
#pragma once

#include <algorithm>
#include <limits>

#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "framework/node/softmax.h"

namespace weft {

// grad = by (softmax(x) - share), for the logits of one position, [classes].
[[maybe_unused]] static WEFT_SIMD void softmax_error(const float* __restrict x, float log_sum,
                                                     float share, float by, float* __restrict grad,
                                                     int64_t n) {
  for (int64_t i = 0; i < n; ++i) grad[i] = by * (simd::exp(x[i] - log_sum) - share);
}

class ClassLoss : public Node {
 public:
  In logits{this, "logits", "[batch, ..., classes]"};
  In label{this,
           "label",
           "The right class of each position, [batch, ...], in [0, classes); -1 leaves the "
           "position out.",
           {.dtype = DType::i32, .grad = false}};
  Out y{this, "y",
        "[batch]; mean over a sample's positions but those left out, in nats; 0 if all are, NaN if "
        "another label is out of range."};
  Saved log_sum{this, "log_sum", "ln Σ exp(logits) of each position, shaped as `label`."};

 protected:
  int64_t classes() const { return logits.shape().back(); }
  bool known(int32_t label) const { return label >= 0 && label < classes(); }
  // The logit of the right class; NaN if there is no such class.
  float right(const float* x, int32_t label) const {
    return known(label) ? x[label] : std::numeric_limits<float>::quiet_NaN();
  }

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

 private:
  // The loss of one position with the logits x, [classes], and `by` times its gradient.
  virtual float loss(const float* x, float log_sum, int32_t label) const = 0;
  virtual void spread(const float* x, float log_sum, int32_t label, float by,
                      float* grad) const = 0;

  static constexpr int32_t left_out = -1;

  // The number of positions over which the value of a sample is the mean.
  static float sharers(const int32_t* t, int64_t positions) {
    return static_cast<float>(
        std::max<int64_t>(positions - std::count(t, t + positions, left_out), 1));
  }

  void forward(const Step&) final {
    const int64_t positions = label.row_size();
    for (int64_t row = 0; row < y.rows(); ++row) {
      float sum = 0;
      for (int64_t i = row * positions; i < (row + 1) * positions; ++i) {
        const int32_t t = label.ints()[i];
        if (t == left_out) continue;
        const float* x = logits.data() + i * classes();
        const float all = log_sum_exp(x, classes());
        sum += loss(x, all, t);
        if (training()) log_sum.data()[i] = all;
      }
      y.data()[row] = sum / sharers(label.ints() + row * positions, positions);
    }
  }

  void backward(const Step&) final {
    if (!logits.wants_grad()) return;
    const int64_t positions = label.row_size(), c = classes();
    for (int64_t row = 0; row < y.rows(); ++row) {
      const float by = y.grad()[row] / sharers(label.ints() + row * positions, positions);
      for (int64_t i = row * positions; i < (row + 1) * positions; ++i) {
        const int32_t t = label.ints()[i];
        float* grad = logits.grad() + i * c;
        if (t == left_out)
          std::fill_n(grad, c, 0.0F);
        else
          spread(logits.data() + i * c, log_sum.data()[i], t, by, grad);
      }
    }
  }
};

}  // namespace weft

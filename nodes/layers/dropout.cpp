#include <algorithm>

#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"

namespace weft {
namespace {

// Turns uniform numbers into a mask: 0 with probability `rate`, else 1 / (1 - rate).
WEFT_SIMD void draw_mask(float* __restrict mask, int64_t n, float rate) {
  const float kept = 1 / (1 - rate);
  for (int64_t i = 0; i < n; ++i) mask[i] = mask[i] < rate ? 0 : kept;
}

class Dropout final : public Node {
  In x{this, "x", "Any shape with a batch axis."};
  Out y{this, "y", "Shaped as `x`; equal to `x` outside training and in frozen modules."};
  Param<double> rate{this, "rate", "The probability of zeroing an element.", 0.5,
                     scheduled({.least = 0, .below = 1})};
  Saved mask{this, "mask", "0 or 1 / (1 - rate), shaped as `x`."};

  bool drops() const { return training() && !frozen() && rate.most() > 0; }

  void infer() override {
    if (x.shape().rank() < 1) throw Error("`x` is [], but needs a batch axis");
    y.shape(x.shape());
    x.forward_only(), y.forward_only();
    if (drops()) mask.shape(x.shape());
  }

  void forward(const Step& step) override {
    if (!drops()) {
      std::copy_n(x.data(), x.size(), y.data());
      return;
    }
    for (int64_t row = 0; row < x.rows(); ++row)
      random(step, row).uniform({mask.data() + row * x.row_size(), size_t(x.row_size())});
    draw_mask(mask.data(), x.size(), static_cast<float>(*rate));
    multiply(x.data(), mask.data(), y.data(), x.size());
  }

  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    if (drops())
      multiply(y.grad(), mask.data(), x.grad(), x.size());
    else
      std::copy_n(y.grad(), x.size(), x.grad());
  }
};

WEFT_NODE(Dropout, "dropout",
          "Zeroes random elements in training and scales the others up (Srivastava et al. 2014).",
          "{x: [4, 3, 5], rate: 0.3}")

}  // namespace
}  // namespace weft

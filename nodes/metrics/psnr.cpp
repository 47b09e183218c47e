#include <algorithm>
#include <cmath>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Psnr final : public Node {
  In x{this, "x", "[batch, ...]", {.grad = false}};
  In target{this, "target", "Shaped as `x`.", {.grad = false}};
  Out y{this, "y", "Decibels, [batch]."};
  Param<double> peak{this, "peak", "The span of the values: 1 for [0, 1], 2 for [-1, 1].", 1,
                     above(0)};

  void infer() override {
    if (x.shape() != target.shape() || x.shape().rank() < 2)
      throw Error("`x` is " + x.shape().str() + " and `target` is " + target.shape().str() +
                  ", but both must have one shape, [batch, ...]");
    y.shape({x.rows()});
  }

  // y = 10 log10(peak² / mean squared error); a perfect copy counts as 100 dB.
  void forward(const Step&) override {
    const int64_t n = x.row_size();
    for (int64_t i = 0; i < x.rows(); ++i) {
      double sum = 0;
      for (int64_t j = i * n; j < (i + 1) * n; ++j) {
        const double error = x.data()[j] - target.data()[j];
        sum += error * error;
      }
      const double ratio = *peak * *peak * static_cast<double>(n) / sum;
      y.data()[i] = static_cast<float>(std::min(10 * std::log10(ratio), 100.0));
    }
  }
};

WEFT_NODE(Psnr, "psnr", "Peak signal-to-noise ratio of each sample, in decibels.",
          "{x: [4, 3, 5], target: [4, 3, 5]}")

}  // namespace
}  // namespace weft

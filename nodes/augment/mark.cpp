#include <algorithm>
#include <cmath>

#include "framework/node/plugin.h"
#include "nodes/layers/windows.h"

namespace weft {
namespace {

class Mark final : public Node {
  In x{this, "x", "Images, [batch, height, width, channels].", {.grad = false}};
  In position{this, "position", "Row and column, in pixels, [batch, 2].", {.grad = false}};
  Out y{this, "y", "Shaped as `x`, a cross at each position."};
  Param<double> value{this, "value", "Of the cross's pixels.", 1};
  Param<int64_t> arm{this, "arm", "Pixels from its middle to an end.", 3, within(0, 4096)};

  void infer() override {
    expect_images(x);
    if (position.shape() != Shape{x.rows(), 2})
      throw Error("`position` is " + position.shape().str() + ", but must be [batch, 2]");
    y.shape(x.shape());
  }

  void paint(int64_t row, int64_t i, int64_t j) const {
    const int64_t h = x.shape()[1], w = x.shape()[2], c = x.shape()[3];
    if (i < 0 || j < 0 || i >= h || j >= w) return;
    std::fill_n(y.data() + row * y.row_size() + (i * w + j) * c, c, static_cast<float>(*value));
  }

  void forward(const Step&) override {
    std::copy_n(x.data(), x.size(), y.data());
    for (int64_t row = 0; row < x.rows(); ++row) {
      const float *at = position.data() + 2 * row, far = 1e6F;
      if (std::isnan(at[0]) || std::isnan(at[1])) continue;
      const auto i = static_cast<int64_t>(std::clamp(at[0], -far, far));
      const auto j = static_cast<int64_t>(std::clamp(at[1], -far, far));
      for (int64_t k = -*arm; k <= *arm; ++k) paint(row, i + k, j), paint(row, i, j + k);
    }
  }
};

WEFT_NODE(Mark, "mark", "Draws a cross at a place of each image.",
          "{x: [4, 5, 6, 2], position: [4, 2], arm: 1}")

}  // namespace
}  // namespace weft

#include <algorithm>
#include <array>

#include "framework/node/plugin.h"
#include "nodes/layers/windows.h"

namespace weft {
namespace {

class RandomFlip final : public Node {
  In x{this, "x", "Images, [batch, height, width, channels].", {.grad = false}};
  Out y{this, "y", "Shaped as `x`."};
  Param<double> probability{this, "probability", "That left and right change places.", 0.5,
                            within(0, 1)};

  void infer() override {
    expect_images(x);
    y.shape(x.shape());
  }

  void forward(const Step& step) override {
    const int64_t c = x.shape()[3], w = x.shape()[2];
    for (int64_t row = 0; row < x.rows(); ++row) {
      std::array<float, 1> u{};
      random(step, row).uniform(u);
      const bool flips = u[0] < static_cast<float>(*probability);
      for (int64_t i = row * x.row_size(); i < (row + 1) * x.row_size(); i += w * c)
        for (int64_t j = 0; j < w; ++j)
          std::copy_n(x.data() + i + (flips ? w - 1 - j : j) * c, c, y.data() + i + j * c);
    }
  }
};

WEFT_NODE(RandomFlip, "random_flip", "Mirrors each image or not, left to right.",
          "{x: [6, 3, 4, 2]}")

}  // namespace
}  // namespace weft

#include <algorithm>
#include <array>

#include "framework/node/plugin.h"
#include "nodes/layers/windows.h"

namespace weft {
namespace {

// Mirrors a row of `w` pixels of `c` channels.
template <int64_t known>
void mirror(const float* __restrict x, int64_t w, int64_t c, float* __restrict y) {
  if (known) c = known;
  for (int64_t j = 0; j < w; ++j)
    for (int64_t k = 0; k < c; ++k) y[j * c + k] = x[(w - 1 - j) * c + k];
}

class RandomFlip final : public Node {
  In x{this, "x", "Images, [batch, height, width, channels].", {.grad = false}};
  Out y{this, "y", "Shaped as `x`."};
  Param<double> probability{this, "probability", "That left and right change places.", 0.5,
                            scheduled(within(0, 1))};

  void infer() override {
    expect_images(x);
    y.shape(x.shape());
  }

  void forward(const Step& step) override {
    const int64_t c = x.shape()[3], w = x.shape()[2];
    for (int64_t row = 0; row < x.rows(); ++row) {
      std::array<float, 1> u{};
      random(step, row).uniform(u);
      const int64_t first = row * x.row_size();
      if (u[0] >= static_cast<float>(*probability))
        std::copy_n(x.data() + first, x.row_size(), y.data() + first);
      else
        for (int64_t i = first; i < first + x.row_size(); i += w * c)
          (c == 1 ? mirror<1> : c == 3 ? mirror<3> : mirror<0>)(x.data() + i, w, c, y.data() + i);
    }
  }
};

WEFT_NODE(RandomFlip, "random_flip", "Mirrors each image or not, left to right.",
          "{x: [6, 3, 4, 2]}")

}  // namespace
}  // namespace weft

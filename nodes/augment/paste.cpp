#include <algorithm>
#include <array>

#include "framework/node/plugin.h"
#include "nodes/layers/windows.h"

namespace weft {
namespace {

class Paste final : public Node {
  In x{this, "x", "Backgrounds, [batch, height, width, channels].", {.grad = false}};
  In target{this,
            "target",
            "What is laid over them, [batch, h, w, channels + 1]: colours times opacity, then "
            "opacity, as `images` gives them with `channels: 4`.",
            {.grad = false}};
  Out y{this, "y", "Shaped as `x`."};
  Out position{this, "position", "Row and column of the target's middle, in pixels, [batch, 2]."};

  int64_t c() const { return x.shape()[3]; }

  void infer() override {
    expect_images(x);
    expect_images(target);
    const Shape &big = x.shape(), &small = target.shape();
    if (small[3] != c() + 1)
      throw Error("`x` is " + big.str() + " and `target` is " + small.str() +
                  ", but the target needs the channels of `x` and one more, its opacity");
    if (small[0] != big[0])
      throw Error("`x` is " + big.str() + " and `target` is " + small.str() +
                  ", but each image needs a target of its own");
    if (small[1] > big[1] || small[2] > big[2])
      throw Error("`target` is " + small.str() + ", larger than `x`, " + big.str());
    y.shape(big);
    position.shape({x.rows(), 2});
  }

  void forward(const Step& step) override {
    const int64_t w = x.shape()[2], h = target.shape()[1], across = target.shape()[2];
    std::copy_n(x.data(), x.size(), y.data());
    for (int64_t row = 0; row < x.rows(); ++row) {
      std::array<float, 2> u{};
      random(step, row).uniform(u);
      const auto top = static_cast<int64_t>(u[0] * static_cast<float>(x.shape()[1] - h + 1));
      const auto left = static_cast<int64_t>(u[1] * static_cast<float>(w - across + 1));
      const float* from = target.data() + row * target.row_size();
      for (int64_t i = 0; i < h; ++i)
        for (int64_t j = 0; j < across; ++j, from += c() + 1) {
          float* to = y.data() + row * y.row_size() + ((top + i) * w + left + j) * c();
          for (int64_t k = 0; k < c(); ++k) to[k] = to[k] * (1 - from[c()]) + from[k];
        }
      position.data()[2 * row] = static_cast<float>(top) + static_cast<float>(h) / 2;
      position.data()[2 * row + 1] = static_cast<float>(left) + static_cast<float>(across) / 2;
    }
  }
};

WEFT_NODE(Paste, "paste", "Lays a target over each image at a random place.",
          "{x: [4, 6, 7, 2], target: [4, 3, 2, 3]}")

}  // namespace
}  // namespace weft

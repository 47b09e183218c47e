#include <algorithm>

#include "framework/node/loops.h"
#include "framework/node/plugin.h"
#include "nodes/layers/windows.h"

namespace weft {
namespace {

class Upsample final : public Node {
  In x{this, "x", "Images, [batch, height, width, channels]."};
  Out y{this, "y", "[batch, factor height, factor width, channels]"};
  PairParam factor{
      this, "factor", "How many pixels, down and across, show each one.", {2}, within(1, 64)};

  int64_t c() const { return x.shape()[3]; }

  Twice twice() const override { return Twice::linear; }
  void infer() override {
    expect_images(x);
    const Pair f = *factor;
    y.shape({x.rows(), x.shape()[1] * f[0], x.shape()[2] * f[1], c()});
    x.forward_only(), y.forward_only();
  }

  // Calls f(offset in x, offset in y) for each pixel of y.
  template <class F>
  void each_pixel(F f) const {
    const Pair by = *factor;
    const int64_t h = y.shape()[1], w = y.shape()[2];
    for (int64_t row = 0; row < x.rows() * h; ++row)  // rows of pixels of all images
      for (int64_t col = 0; col < w; ++col)
        f((row / by[0] * (w / by[1]) + col / by[1]) * c(), (row * w + col) * c());
  }

  void forward(const Step&) override {
    each_pixel([&](int64_t in, int64_t out) { std::copy_n(x.data() + in, c(), y.data() + out); });
  }

  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    std::fill_n(x.grad(), x.size(), 0.0F);
    each_pixel([&](int64_t in, int64_t out) { add_scaled(y.grad() + out, 1, x.grad() + in, c()); });
  }
};

WEFT_NODE(Upsample, "upsample", "Enlarges images by repeating pixels (nearest neighbour).",
          "{x: [4, 2, 3, 3], factor: [2, 3]}")

}  // namespace
}  // namespace weft

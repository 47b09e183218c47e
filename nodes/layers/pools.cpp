#include <algorithm>
#include <limits>

#include "framework/node/plugin.h"
#include "framework/node/simd.h"
#include "nodes/layers/loops.h"
#include "nodes/layers/windows.h"

namespace weft {
namespace {

// One pixel of a window, all channels: `place` is its number in the window.
WEFT_SIMD void take_larger(const float* __restrict x, int32_t place, float* __restrict y,
                           int32_t* __restrict from, int64_t c) {
  for (int64_t j = 0; j < c; ++j) {
    const bool larger = x[j] > y[j] || x[j] != x[j];  // NaN wins, and stays
    y[j] = larger ? x[j] : y[j];
    from[j] = larger ? place : from[j];
  }
}

WEFT_SIMD void give_back(const float* __restrict grad, const int32_t* __restrict from,
                         int32_t place, float* __restrict grad_x, int64_t c) {
  for (int64_t j = 0; j < c; ++j) grad_x[j] += from[j] == place ? grad[j] : 0.0F;
}

class Pool : public Node {
 public:
  In x{this, "x", "Images, [batch, height, width, channels]."};
  Out y{this, "y", "[batch, height', width', channels]"};
  PairParam kernel{this, "kernel", "Height and width of the window.", {2}, within(1, 1024)};
  PairParam stride{this, "stride", "Step of the window; [] is the kernel.", {}, within(1, 1024)};
  PairParam padding{
      this, "padding", "Around the image, at most half the window.", {0}, within(0, 512)};

 protected:
  int64_t c() const { return x.shape()[3]; }

  void infer() override {
    expect_images(x);
    for (size_t axis = 0; axis < 2; ++axis)
      if (2 * (*padding)[axis] > (*kernel)[axis])
        throw Error("`padding` of " + text(*padding) + " is more than half the window, " +
                    text(*kernel));
    const Pair size =
        count_windows({x.shape()[1], x.shape()[2]}, *kernel, step(), *padding, {1, 1});
    y.shape({x.rows(), size[0], size[1], c()});
  }

  // Calls f(offset in x, offset in y, number in the window) for each pixel of each window.
  template <class F>
  void each_pixel(F f) const {
    const int64_t h = x.shape()[1], w = x.shape()[2], oh = y.shape()[1], ow = y.shape()[2];
    const Pair k = *kernel, s = step(), p = *padding;
    for (int64_t n = 0; n < x.rows(); ++n)
      for (int64_t oy = 0; oy < oh; ++oy)
        for (int64_t ox = 0; ox < ow; ++ox) {
          const int64_t top = oy * s[0] - p[0], left = ox * s[1] - p[1];
          const int64_t out = ((n * oh + oy) * ow + ox) * c();
          for (int64_t i = std::max<int64_t>(top, 0); i < std::min(top + k[0], h); ++i)
            for (int64_t j = std::max<int64_t>(left, 0); j < std::min(left + k[1], w); ++j)
              f(((n * h + i) * w + j) * c(), out,
                static_cast<int32_t>((i - top) * k[1] + j - left));
        }
  }

 private:
  Pair step() const { return stride.given() ? *stride : *kernel; }
};

class MaxPool2d final : public Pool {
  Saved from{this, "from", "The number in the window of each largest pixel, shaped as `y`.",
             DType::i32};
  std::vector<int32_t> unsaved_;

  void infer() override {
    Pool::infer();
    from.shape(y.shape());
  }

  void prepare(Pass) override {
    if (!training()) unsaved_.resize(static_cast<size_t>(y.size()));
  }

  void forward(const Step&) override {
    int32_t* places = training() ? from.ints() : unsaved_.data();
    std::fill_n(y.data(), y.size(), -std::numeric_limits<float>::infinity());
    std::fill_n(places, y.size(), -1);
    each_pixel([&](int64_t in, int64_t out, int32_t place) {
      take_larger(x.data() + in, place, y.data() + out, places + out, c());
    });
  }

  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    std::fill_n(x.grad(), x.size(), 0.0F);
    each_pixel([&](int64_t in, int64_t out, int32_t place) {
      give_back(y.grad() + out, from.ints() + out, place, x.grad() + in, c());
    });
  }
};

class AvgPool2d final : public Pool {
  float share() const { return 1 / static_cast<float>((*kernel)[0] * (*kernel)[1]); }

  void forward(const Step&) override {
    std::fill_n(y.data(), y.size(), 0.0F);
    each_pixel([&](int64_t in, int64_t out, int32_t) {
      add_scaled(x.data() + in, share(), y.data() + out, c());
    });
  }

  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    std::fill_n(x.grad(), x.size(), 0.0F);
    each_pixel([&](int64_t in, int64_t out, int32_t) {
      add_scaled(y.grad() + out, share(), x.grad() + in, c());
    });
  }
};

class GlobalAvgPool final : public Node {
  In x{this, "x", "[batch, ..., channels], such as images."};
  Out y{this, "y", "The mean of each channel, [batch, channels]."};

  int64_t c() const { return x.shape().back(); }
  int64_t sites() const { return x.row_size() / c(); }

  void infer() override {
    if (x.shape().rank() < 3 || x.row_size() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, ..., channels]");
    y.shape({x.rows(), c()});
  }

  void forward(const Step&) override {
    std::fill_n(y.data(), y.size(), 0.0F);
    for (int64_t i = 0; i < x.size() / c(); ++i)
      add_scaled(x.data() + i * c(), 1 / static_cast<float>(sites()), y.data() + i / sites() * c(),
                 c());
  }

  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    std::fill_n(x.grad(), x.size(), 0.0F);
    for (int64_t i = 0; i < x.size() / c(); ++i)
      add_scaled(y.grad() + i / sites() * c(), 1 / static_cast<float>(sites()), x.grad() + i * c(),
                 c());
  }
};

WEFT_NODE(MaxPool2d, "max_pool2d", "The largest value of each window, channel by channel.",
          "{x: [4, 4, 3, 2], kernel: [3, 2], stride: [2, 1], padding: 1}")
WEFT_NODE(AvgPool2d, "avg_pool2d",
          "The mean of each window, channel by channel; padding counts as zeros.",
          "{x: [4, 5, 6, 3], kernel: [3, 2], stride: 2, padding: 1}")
WEFT_NODE(GlobalAvgPool, "global_avg_pool", "The mean over all places (Lin et al. 2013).",
          "{x: [4, 3, 2, 5]}")

}  // namespace
}  // namespace weft

#include <algorithm>
#include <limits>

#include "framework/node/dnn.h"
#include "framework/node/loops.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"
#include "nodes/layers/windows.h"

namespace weft {
namespace {

// The part of a window that lies within the image: `rows` × `cols` pixels of `c` channels.
struct Window {
  int64_t rows, cols, row_stride;
  int32_t first, row_step;  // the first pixel's number in the window, and the step to the next row
};

// Is v the new largest? NaN wins, and stays.
inline bool wins(float v, float best) {
  return v > best || v != v;
}

// Takes the largest pixel of a window and its number, channel by channel: y and from are [c].
WEFT_SIMD void take_largest(const float* __restrict x, const Window& window, int64_t c,
                            float* __restrict y, int32_t* __restrict from) {
  for (int64_t j = 0; j < c; ++j) y[j] = x[j], from[j] = window.first;
  for (int64_t row = 0; row < window.rows; ++row)
    for (int64_t col = 0; col < window.cols; ++col) {
      const float* __restrict v = x + row * window.row_stride + col * c;
      const auto number = static_cast<int32_t>(window.first + row * window.row_step + col);
      for (int64_t j = 0; j < c; ++j) {
        const bool larger = wins(v[j], y[j]);
        y[j] = larger ? v[j] : y[j];
        from[j] = larger ? number : from[j];
      }
    }
}

// The number of channels that are handled at a time. Loops over both floats and bytes make poor
// vectors, so loops of their own convert the numbers of the largest pixels to bytes and back.
constexpr int64_t most_channels = 64;

// The same for a row of windows of 2 × 2 that tile the image, the usual case, in registers.
WEFT_SIMD void take_largest_of_fours(const float* __restrict x, int64_t windows, int64_t c,
                                     float* __restrict y, uint8_t* __restrict from) {
  int32_t tap[most_channels];
  const float* __restrict below = x + 2 * windows * c;
  for (int64_t window = 0; window < windows; ++window, x += c, below += c)
    for (int64_t n = 0, left = c; left > 0; left -= n, x += n, below += n, y += n, from += n) {
      n = std::min(left, most_channels);
      for (int64_t j = 0; j < n; ++j) {
        float best = x[j];
        int32_t p = 0;
        const float second = x[c + j], third = below[j], fourth = below[c + j];
        p = wins(second, best) ? 1 : p, best = wins(second, best) ? second : best;
        p = wins(third, best) ? 2 : p, best = wins(third, best) ? third : best;
        p = wins(fourth, best) ? 3 : p, best = wins(fourth, best) ? fourth : best;
        y[j] = best, tap[j] = p;
      }
      for (int64_t j = 0; j < n; ++j) from[j] = static_cast<uint8_t>(tap[j]);
    }
}

// Adds the gradient, [c], to the pixel that was the largest.
WEFT_SIMD void give_back(const float* __restrict grad, const int32_t* __restrict from,
                         const Window& window, int64_t c, float* __restrict grad_x) {
  for (int64_t row = 0; row < window.rows; ++row)
    for (int64_t col = 0; col < window.cols; ++col) {
      float* __restrict to = grad_x + row * window.row_stride + col * c;
      const auto number = static_cast<int32_t>(window.first + row * window.row_step + col);
      for (int64_t j = 0; j < c; ++j) to[j] += from[j] == number ? grad[j] : 0.0F;
    }
}

// The same for a row of windows of 2 × 2 that tile the image.
WEFT_SIMD void give_back_to_fours(const float* __restrict grad, const uint8_t* __restrict from,
                                  int64_t windows, int64_t c, float* __restrict grad_x) {
  int32_t tap[most_channels];
  float* __restrict below = grad_x + 2 * windows * c;
  for (int64_t window = 0; window < windows; ++window, grad_x += c, below += c)
    for (int64_t n = 0, left = c; left > 0;
         left -= n, grad += n, from += n, grad_x += n, below += n) {
      n = std::min(left, most_channels);
      for (int64_t j = 0; j < n; ++j) tap[j] = from[j];
      for (int64_t j = 0; j < n; ++j) {
        grad_x[j] = tap[j] == 0 ? grad[j] : 0.0F;
        grad_x[c + j] = tap[j] == 1 ? grad[j] : 0.0F;
        below[j] = tap[j] == 2 ? grad[j] : 0.0F;
        below[c + j] = tap[j] == 3 ? grad[j] : 0.0F;
      }
    }
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
    x.forward_only();
  }

  // Calls f(offset in x of the first pixel, offset in y, window) for each window.
  template <class F>
  void each_window(F f) const {
    const int64_t h = x.shape()[1], w = x.shape()[2], oh = y.shape()[1], ow = y.shape()[2];
    const Pair k = *kernel, s = step(), p = *padding;
    for (int64_t n = 0; n < x.rows(); ++n)
      for (int64_t oy = 0; oy < oh; ++oy)
        for (int64_t ox = 0; ox < ow; ++ox) {
          const int64_t top = oy * s[0] - p[0], left = ox * s[1] - p[1];
          const int64_t i = std::max<int64_t>(top, 0), j = std::max<int64_t>(left, 0);
          f(((n * h + i) * w + j) * c(), ((n * oh + oy) * ow + ox) * c(),
            Window{std::min(top + k[0], h) - i, std::min(left + k[1], w) - j, w * c(),
                   static_cast<int32_t>((i - top) * k[1] + j - left), static_cast<int32_t>(k[1])});
        }
  }

  // Does each pixel lie in exactly one window of 2 × 2?
  bool tiled_by_two() const {
    return *kernel == Pair{2, 2} && step() == *kernel && *padding == Pair{0, 0} &&
           x.shape()[1] == 2 * y.shape()[1] && x.shape()[2] == 2 * y.shape()[2];
  }

 private:
  Pair step() const { return stride.given() ? *stride : *kernel; }
};

class MaxPool2d final : public Pool {
  // Every activation grows with its argument, so it can stand before or behind the pool alike.
  // Behind it, the larger x need not be kept for backward().
  Param<Activation> activation{this, "activation", "Applied to the result.", Activation::none};
  Param<double> slope{this, "slope", "Of leaky_relu below 0.", 0.01, at_least(0)};
  Saved from{this, "from",
             "The number in the window of each largest pixel, shaped as `y`; four to an integer "
             "where windows of 2 × 2 tile the image.",
             DType::i32};
  std::vector<int32_t> unsaved_;

  void infer() override {
    Pool::infer();
    from.shape(tiled_by_two() ? y.shape().with_back((c() + 3) / 4) : y.shape());
    if (*activation == Activation::none) y.forward_only();
  }

  void prepare(Pass) override {
    if (!training()) unsaved_.resize(static_cast<size_t>(y.size()));
  }

  // Calls f(offset in x, in y, in `from`) for each row of windows of 2 × 2 that tile the image.
  template <class F>
  void each_row_of_fours(F f) const {
    const int64_t size = y.shape()[2] * c(), rows = y.shape()[1];
    const int64_t bytes = (c() + 3) / 4 * 4 * y.shape()[2] * rows;  // bytes of `from` for one image
    for (int64_t row = 0; row < y.rows() * rows; ++row)
      f(4 * row * size, row * size, row / rows * bytes + row % rows * size);
  }

  void forward(const Step&) override {
    int32_t* taps = training() ? from.ints() : unsaved_.data();
    if (tiled_by_two())
      each_row_of_fours([&](int64_t in, int64_t out, int64_t at) {
        take_largest_of_fours(x.data() + in, y.shape()[2], c(), y.data() + out,
                              reinterpret_cast<uint8_t*>(taps) + at);
      });
    else
      each_window([&](int64_t in, int64_t out, const Window& window) {
        take_largest(x.data() + in, window, c(), y.data() + out, taps + out);
      });
    activation_forward(*activation, static_cast<float>(*slope), y.data(), y.size());
  }

  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    activation_backward(*activation, static_cast<float>(*slope), y.data(), y.grad(), y.size());
    if (tiled_by_two())
      return each_row_of_fours([&](int64_t in, int64_t out, int64_t at) {
        give_back_to_fours(y.grad() + out, reinterpret_cast<const uint8_t*>(from.ints()) + at,
                           y.shape()[2], c(), x.grad() + in);
      });
    std::fill_n(x.grad(), x.size(), 0.0F);
    each_window([&](int64_t in, int64_t out, const Window& window) {
      give_back(y.grad() + out, from.ints() + out, window, c(), x.grad() + in);
    });
  }
};

class AvgPool2d final : public Pool {
  Twice twice() const override { return Twice::linear; }
  void infer() override {
    Pool::infer();
    y.forward_only();
  }

  float share() const { return 1 / static_cast<float>((*kernel)[0] * (*kernel)[1]); }

  void forward(const Step&) override {
    std::fill_n(y.data(), y.size(), 0.0F);
    each_window([&](int64_t in, int64_t out, const Window& window) {
      for (int64_t i = 0; i < window.rows; ++i)
        for (int64_t j = 0; j < window.cols; ++j)
          add_scaled(x.data() + in + i * window.row_stride + j * c(), share(), y.data() + out, c());
    });
  }

  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    std::fill_n(x.grad(), x.size(), 0.0F);
    each_window([&](int64_t in, int64_t out, const Window& window) {
      for (int64_t i = 0; i < window.rows; ++i)
        for (int64_t j = 0; j < window.cols; ++j)
          add_scaled(y.grad() + out, share(), x.grad() + in + i * window.row_stride + j * c(), c());
    });
  }
};

class GlobalAvgPool final : public Node {
  In x{this, "x", "[batch, ..., channels], such as images."};
  Out y{this, "y", "The mean of each channel, [batch, channels]."};

  int64_t c() const { return x.shape().back(); }
  int64_t sites() const { return x.row_size() / c(); }

  Twice twice() const override { return Twice::linear; }
  void infer() override {
    if (x.shape().rank() < 3 || x.row_size() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, ..., channels]");
    y.shape({x.rows(), c()});
    x.forward_only(), y.forward_only();
  }

  void forward(const Step&) override {
    for (int64_t row = 0; row < x.rows(); ++row) {
      float* mean = y.data() + row * c();
      sum_rows(x.data() + row * x.row_size(), sites(), c(), c(), mean);
      for (int64_t j = 0; j < c(); ++j) mean[j] /= static_cast<float>(sites());
    }
  }

  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    for (int64_t i = 0; i < x.size() / c(); ++i)
      scaled(y.grad() + i / sites() * c(), 1 / static_cast<float>(sites()), x.grad() + i * c(),
             c());
  }
};

WEFT_NODE(MaxPool2d, "max_pool2d", "The largest value of each window, channel by channel.",
          "{x: [4, 4, 3, 2], kernel: [3, 2], stride: [2, 1], padding: 1}")
WEFT_NODE(AvgPool2d, "avg_pool2d",
          "The mean of each window, channel by channel; padding counts as zeros.",
          "{x: [4, 5, 6, 3], kernel: [3, 2], stride: 2, padding: 1}")
WEFT_NODE(GlobalAvgPool, "global_avg_pool", "The mean over all positions (Lin et al. 2013).",
          "{x: [4, 3, 2, 5]}")

}  // namespace
}  // namespace weft

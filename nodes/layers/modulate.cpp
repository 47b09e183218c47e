#include <algorithm>

#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

WEFT_SIMD void modulate(const float* __restrict x, const float* __restrict scale,
                        const float* __restrict shift, float* __restrict y, int64_t positions,
                        int64_t c) {
  for (int64_t i = 0; i < positions; ++i, x += c, y += c)
    for (int64_t j = 0; j < c; ++j) y[j] = x[j] * (1 + scale[j]) + shift[j];
}

WEFT_SIMD void grad_xs(const float* __restrict grad_y, const float* __restrict scale,
                       float* __restrict grad, int64_t positions, int64_t c) {
  for (int64_t i = 0; i < positions; ++i, grad_y += c, grad += c)
    for (int64_t j = 0; j < c; ++j) grad[j] = grad_y[j] * (1 + scale[j]);
}

WEFT_SIMD void grad_scales(const float* __restrict grad_y, const float* __restrict x,
                           float* __restrict grad, int64_t positions, int64_t c) {
  for (int64_t j = 0; j < c; ++j) grad[j] = 0;
  for (int64_t i = 0; i < positions; ++i, grad_y += c, x += c)
    for (int64_t j = 0; j < c; ++j) grad[j] += grad_y[j] * x[j];
}

// to = from times a number for each channel, or that added to it.
WEFT_SIMD void scale_channels(const float* __restrict from, const float* __restrict by, bool adds,
                              float* __restrict to, int64_t positions, int64_t c) {
  for (int64_t i = 0; i < positions; ++i, from += c, to += c)
    for (int64_t j = 0; j < c; ++j) to[j] = (adds ? to[j] : 0) + from[j] * by[j];
}

// Feature-wise linear modulation: Perez et al. 2018, arXiv:1709.07871, eq. 2, with γ = 1 + scale.
class Modulate final : public Node {
  In x{this, "x", "[batch, ..., c]"};
  In scale{this, "scale", "Of each channel, less 1, [batch, c]."};
  In shift{this, "shift", "Of each channel, [batch, c]."};
  Out y{this, "y", "x (1 + scale) + shift, shaped as `x`."};

  int64_t c() const { return x.shape().back(); }
  int64_t positions() const { return x.row_size() / c(); }

  void infer() override {
    if (x.shape().rank() < 2 || c() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, ..., c]");
    const Shape want{x.rows(), c()};
    if (scale.shape() != want || shift.shape() != want)
      throw Error("`x` is " + x.shape().str() + ", so `scale` and `shift` must be " + want.str() +
                  ", but they are " + scale.shape().str() + " and " + shift.shape().str());
    y.shape(x.shape());
    y.forward_only();
  }

  void forward(const Step&) override {
    const int64_t n = x.row_size();
    for (int64_t i = 0; i < y.rows(); ++i)
      modulate(x.data() + i * n, scale.data() + i * c(), shift.data() + i * c(), y.data() + i * n,
               positions(), c());
  }

  void backward(const Step&) override {
    const int64_t n = x.row_size();
    for (int64_t i = 0; i < y.rows(); ++i) {
      const float* grad = y.grad() + i * n;
      if (x.wants_grad()) grad_xs(grad, scale.data() + i * c(), x.grad() + i * n, positions(), c());
      if (scale.wants_grad())
        grad_scales(grad, x.data() + i * n, scale.grad() + i * c(), positions(), c());
      if (shift.wants_grad()) sum_rows(grad, positions(), c(), c(), shift.grad() + i * c());
    }
  }

  Twice twice() const override { return Twice::yes; }
  void backward_twice(const Step&) override {
    for (int64_t i = 0; i < y.rows(); ++i) {
      const int64_t at = i * x.row_size(), channel = i * c();
      const float* const grad = y.grad() + at;
      const float* const along = scale.tangent() + channel;
      modulate(x.tangent() + at, scale.data() + channel, shift.tangent() + channel,
               y.tangent() + at, positions(), c());
      scale_channels(x.data() + at, along, true, y.tangent() + at, positions(), c());
      if (x.wants_grad()) scale_channels(grad, along, false, x.grad() + at, positions(), c());
      if (scale.wants_grad())
        grad_scales(grad, x.tangent() + at, scale.grad() + channel, positions(), c());
      if (shift.wants_grad()) std::fill_n(shift.grad() + channel, c(), 0.0F);
    }
  }
};

WEFT_NODE(Modulate, "modulate", "Scales and shifts the channels of each sample in its own way.",
          "{x: [4, 2, 3, 5], scale: [4, 5], shift: [4, 5]}")

}  // namespace
}  // namespace weft

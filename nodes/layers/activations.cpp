#include <numbers>

#include "framework/node/loops.h"
#include "nodes/math/pointwise.h"

namespace weft {
namespace {

constexpr float inv_sqrt_2 = std::numbers::sqrt2_v<float> / 2;
constexpr float inv_sqrt_2pi = inv_sqrt_2 * std::numbers::inv_sqrtpi_v<float>;

// Φ(x) of the standard normal distribution, within 1e-7; `bell` is exp(-x² / 2). Φ(-|x|) / bell is
// smooth, so it is computed by a polynomial, fitted so that its product with the bell is equally
// wrong everywhere.
[[gnu::always_inline]] inline float normal_cdf(float x, float bell) {
  const float a = x < 0 ? -x : x, t = a < 6 ? a : 6;
  float p = 1.6317332e-6F;
  p = p * t - 3.52085626e-5F;
  p = p * t + 3.39744322e-4F;
  p = p * t - 1.97465159e-3F;
  p = p * t + 7.93945044e-3F;
  p = p * t - 2.43140217e-2F;
  p = p * t + 6.11549728e-2F;
  p = p * t - 0.132513851F;
  p = p * t + 0.249916807F;
  p = p * t - 0.39893651F;
  p = p * t + 0.49999994F;
  const float tail = p * bell, sign = x < 0 ? -1.0F : 1.0F;
  return 0.5F * (1 + sign) - sign * tail;  // no branch, so vectors and single numbers round alike
}

[[gnu::always_inline]] inline float bell(float x) {
  return simd::exp(-0.5F * x * x);
}

// The activations. `a` is the slope of leaky_relu below zero.
struct ReluMaths {
  static constexpr From from = From::y;
  static float y(float x, float) { return x < 0 ? 0 : x; }  // NaN stays NaN
  static float dy(float, float y, float) { return y > 0 ? 1 : 0; }
  static float ddy(float, float, float) { return 0; }
};
struct LeakyReluMaths {
  static constexpr From from = From::x;  // not y: the slope may be negative
  static float y(float x, float a) { return x > 0 ? x : a * x; }
  static float dy(float x, float, float a) { return x > 0 ? 1 : a; }
  static float ddy(float, float, float) { return 0; }
};
struct TanhMaths {
  static constexpr From from = From::y;
  static float y(float x, float) { return simd::tanh(x); }
  static float dy(float, float y, float) { return 1 - y * y; }
  static float ddy(float, float y, float) { return -2 * y * (1 - y * y); }
};
struct SigmoidMaths {
  static constexpr From from = From::y;
  static float y(float x, float) { return simd::sigmoid(x); }
  static float dy(float, float y, float) { return y * (1 - y); }
  static float ddy(float, float y, float) { return y * (1 - y) * (1 - 2 * y); }
};
struct SoftplusMaths {
  static constexpr From from = From::x;
  static float y(float x, float) { return simd::softplus(x); }
  static float dy(float x, float, float) { return simd::sigmoid(x); }
  static float ddy(float x, float, float) {
    const float s = simd::sigmoid(x);
    return s * (1 - s);
  }
};
struct SiluMaths {
  static constexpr From from = From::both;
  static float y(float x, float) { return x * simd::sigmoid(x); }
  static float dy(float x, float y, float) { return y + simd::sigmoid(x) * (1 - y); }
  static float ddy(float x, float, float) {
    const float s = simd::sigmoid(x);
    return s * (1 - s) * (2 + x * (1 - 2 * s));
  }
};

WEFT_SIMD void gelu(const float* __restrict x, float* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] * normal_cdf(x[i], bell(x[i]));
}

WEFT_SIMD void gelu_and_slope(const float* __restrict x, float* __restrict y,
                              float* __restrict slope, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const float b = bell(x[i]), cdf = normal_cdf(x[i], b);
    y[i] = x[i] * cdf;
    slope[i] = cdf + x[i] * inv_sqrt_2pi * b;
  }
}

WEFT_SIMD void gelu_twice(const float* __restrict x, const float* __restrict grad_y,
                          const float* __restrict along_x, float* __restrict grad_x, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    grad_x[i] = grad_y[i] * along_x[i] * inv_sqrt_2pi * bell(x[i]) * (2 - x[i] * x[i]);
}

using Relu = Pointwise<ReluMaths>;
using Tanh = Pointwise<TanhMaths>;
using Sigmoid = Pointwise<SigmoidMaths>;
using Softplus = Pointwise<SoftplusMaths>;
using Silu = Pointwise<SiluMaths>;

class LeakyRelu final : public Pointwise<LeakyReluMaths> {
  Param<double> slope_{this, "slope", "Of the line below zero.", 0.01, scheduled()};
  float extra() const override { return static_cast<float>(*slope_); }
};

class Gelu final : public Node {
  In x{this, "x", "Any shape."};
  Out y{this, "y", "Shaped as `x`."};
  Saved slope{this, "slope", "dy/dx, which costs little beside y."};

  void infer() override {
    y.shape(x.shape());
    x.forward_only(), y.forward_only();
    slope.shape(x.shape());
  }
  void forward(const Step&) override {
    if (slope.data())
      gelu_and_slope(x.data(), y.data(), slope.data(), x.size());
    else
      gelu(x.data(), y.data(), x.size());
  }
  void backward(const Step&) override {
    if (x.wants_grad()) multiply(y.grad(), slope.data(), x.grad(), x.size());
  }
  Twice twice() const override { return Twice::yes; }
  void backward_twice(const Step&) override {
    multiply(x.tangent(), slope.data(), y.tangent(), x.size());
    if (x.wants_grad()) gelu_twice(x.data(), y.grad(), x.tangent(), x.grad(), x.size());
  }
};

WEFT_NODE(Relu, "relu", "max(x, 0).", "{x: [4, 3, 5]}")
WEFT_NODE(LeakyRelu, "leaky_relu", "x above zero, slope · x below.", "{x: [4, 15], slope: 0.2}")
WEFT_NODE(Tanh, "tanh", "Hyperbolic tangent.", "{x: [4, 3, 5]}")
WEFT_NODE(Sigmoid, "sigmoid", "1 / (1 + e^-x).", "{x: [4, 3, 5]}")
WEFT_NODE(Gelu, "gelu", "x Φ(x), exact (Hendrycks & Gimpel 2016).", "{x: [4, 3, 5]}")
WEFT_NODE(Softplus, "softplus", "ln(1 + e^x).", "{x: [4, 3, 5]}")
WEFT_NODE(Silu, "silu", "x / (1 + e^-x), also called swish.", "{x: [4, 3, 5]}")

}  // namespace
}  // namespace weft

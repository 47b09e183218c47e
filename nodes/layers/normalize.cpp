#include <algorithm>
#include <cmath>

#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

// grad = (g - (g · y) y) / |x|
WEFT_SIMD void off_sphere(const float* __restrict g, const float* __restrict y, float length,
                          float* __restrict grad, int64_t n) {
  float along = 0;
  WEFT_SUM(along)
  for (int64_t i = 0; i < n; ++i) along += g[i] * y[i];
  for (int64_t i = 0; i < n; ++i) grad[i] = (g[i] - along * y[i]) / length;
}

// With y' = (v - (v · y) y) / |x|: grad = d(g · y')/dx.
WEFT_SIMD void off_sphere_twice(const float* __restrict g, const float* __restrict v,
                                const float* __restrict y, float length, float* __restrict grad,
                                int64_t n) {
  float gy = 0, vy = 0, gv = 0;
#pragma omp simd reduction(+ : gy, vy, gv)
  for (int64_t i = 0; i < n; ++i) gy += g[i] * y[i], vy += v[i] * y[i], gv += g[i] * v[i];
  for (int64_t i = 0; i < n; ++i)
    grad[i] = -((gv - 3 * gy * vy) * y[i] + gy * v[i] + vy * g[i]) / (length * length);
}

class Normalize final : public Node {
  In x{this, "x", "Vectors, [batch, ..., d]."};
  Out y{this, "y", "x / |x|, shaped as `x`; zeros stay zeros."};

  int64_t d() const { return x.shape().back(); }

  void infer() override {
    if (x.shape().rank() < 2 || d() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, ..., d]");
    y.shape(x.shape());
  }
  void forward(const Step&) override {
    for (int64_t i = 0; i < x.size(); i += d()) direction(x.data() + i, y.data() + i, d());
  }
  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    for (int64_t i = 0; i < x.size(); i += d())
      off_sphere(y.grad() + i, y.data() + i, length(i), x.grad() + i, d());
  }
  Twice twice() const override { return Twice::yes; }
  void backward_twice(const Step&) override {
    for (int64_t i = 0; i < x.size(); i += d()) {
      const float *v = x.tangent() + i, *to = y.data() + i;
      off_sphere(v, to, length(i), y.tangent() + i, d());
      if (x.wants_grad()) off_sphere_twice(y.grad() + i, v, to, length(i), x.grad() + i, d());
    }
  }
  float length(int64_t i) const {
    return std::max(std::sqrt(dot(x.data() + i, x.data() + i, d())), 1e-8F);
  }
};

WEFT_NODE(Normalize, "normalize", "The direction of each vector: divided by its length.",
          "{x: [4, 3, 5]}")

}  // namespace
}  // namespace weft

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
    for (int64_t i = 0; i < x.size(); i += d()) {
      const float* v = x.data() + i;
      const float length = std::max(std::sqrt(dot(v, v, d())), 1e-8F);
      off_sphere(y.grad() + i, y.data() + i, length, x.grad() + i, d());
    }
  }
};

WEFT_NODE(Normalize, "normalize", "The direction of each vector: divided by its length.",
          "{x: [4, 3, 5]}")

}  // namespace
}  // namespace weft

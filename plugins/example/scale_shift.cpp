#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"

namespace weft {
namespace {

WEFT_SIMD void affine(const float* __restrict x, float* __restrict y, int64_t n, float scale,
                      float shift) {
  for (int64_t i = 0; i < n; ++i) y[i] = scale * x[i] + shift;
}

// y = scale · x + shift, element by element.
class ScaleShift final : public Node {
  Param<double> scale{this, "scale", "What x is multiplied by.", 1, scheduled()};
  Param<double> shift{this, "shift", "What is then added.", 0, scheduled()};
  In x{this, "x", "Any shape."};
  Out y{this, "y", "As x."};

  void infer() override { y.shape(x.shape()); }
  void forward(const Step&) override {
    affine(x.data(), y.data(), x.size(), static_cast<float>(*scale), static_cast<float>(*shift));
  }
  void backward(const Step&) override {  // dx = scale · dy
    affine(y.grad(), x.grad(), x.size(), static_cast<float>(*scale), 0);
  }
};

WEFT_NODE(ScaleShift, "scale_shift", "Multiplies by one number and adds another.",
          "{x: [2, 3, 5], scale: 2, shift: -1}")

}  // namespace
}  // namespace weft

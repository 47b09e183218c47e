// The base of nodes that apply one function to each element.
#pragma once

#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"

namespace weft {

enum class From { neither, x, y, both };  // what dy/dx is computed from

template <class Maths, class A>
WEFT_SIMD void apply(const float* __restrict x, float* __restrict y, int64_t n, A a) {
  for (int64_t i = 0; i < n; ++i) y[i] = Maths::y(x[i], a);
}

template <class Maths, class A>
WEFT_SIMD void apply_backward(const float* __restrict x, const float* __restrict y,
                              const float* __restrict grad_y, float* __restrict grad_x, int64_t n,
                              A a) {
  for (int64_t i = 0; i < n; ++i) grad_x[i] = grad_y[i] * Maths::dy(x[i], y[i], a);
}

// Maths has y(x, a), dy/dx as dy(x, y, a), and `from`. `a` is what its params say, extra().
template <class Maths, class A = float>
class Pointwise : public Node {
  In x{this, "x", "Any shape."};
  Out y{this, "y", "Shaped as `x`."};

  virtual A extra() const { return {}; }

 protected:
  void infer() override {
    y.shape(x.shape());
    if (Maths::from == From::x || Maths::from == From::neither) y.forward_only();
    if (Maths::from == From::y || Maths::from == From::neither) x.forward_only();
  }

 private:
  void forward(const Step&) override { apply<Maths>(x.data(), y.data(), x.size(), extra()); }
  void backward(const Step&) override {
    if (x.wants_grad())
      apply_backward<Maths>(x.data(), y.data(), y.grad(), x.grad(), x.size(), extra());
  }
};

}  // namespace weft

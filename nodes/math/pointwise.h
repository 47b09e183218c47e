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

template <class Maths, class A>
WEFT_SIMD void apply_twice(const float* __restrict x, const float* __restrict y,
                           const float* __restrict grad_y, const float* __restrict along_x,
                           float* __restrict along_y, float* __restrict grad_x, int64_t n, A a) {
  for (int64_t i = 0; i < n; ++i) along_y[i] = along_x[i] * Maths::dy(x[i], y[i], a);
  if (grad_x)
    for (int64_t i = 0; i < n; ++i) grad_x[i] = grad_y[i] * along_x[i] * Maths::ddy(x[i], y[i], a);
}

// Maths has y(x, a), dy/dx as dy(x, y, a), perhaps d²y/dx² as ddy(x, y, a), and `from`. `a` is what
// its params say, extra().
template <class Maths, class A = float>
class Pointwise : public Node {
  static constexpr bool has_second = requires(float x, A a) { Maths::ddy(x, x, a); };

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
  Twice twice() const final { return has_second ? Twice::yes : Twice::no; }
  void backward_twice(const Step&) override {
    if constexpr (has_second)
      apply_twice<Maths>(x.data(), y.data(), y.grad(), x.tangent(), y.tangent(),
                         x.wants_grad() ? x.grad() : nullptr, x.size(), extra());
  }
};

}  // namespace weft

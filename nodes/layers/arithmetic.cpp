#include <algorithm>

#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"
#include "nodes/fusion/fusion.h"

namespace weft {
namespace {

WEFT_SIMD void add(const float* __restrict a, const float* __restrict b, float* __restrict y,
                   int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = a[i] + b[i];
}

WEFT_SIMD void subtract(const float* __restrict a, const float* __restrict b, float* __restrict y,
                        int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = a[i] - b[i];
}

WEFT_SIMD void accumulate(const float* __restrict x, float* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] += x[i];
}

WEFT_SIMD void scale(const float* __restrict x, float by, float plus, float* __restrict y,
                     int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = by * x[i] + plus;
}

class Binary : public Node {
 protected:
  In a{this, "a", "Any shape."};
  In b{this, "b", "Shaped as `a`."};
  Out y{this, "y", "Shaped as `a`."};

  void infer() override {
    if (a.shape() != b.shape())
      throw Error("`a` is " + a.shape().str() + ", but `b` is " + b.shape().str());
    y.shape(a.shape());
    y.forward_only();
  }
};

class LinearBinary : public Binary {  // gradients do not depend on the inputs
  void infer() override {
    Binary::infer();
    a.forward_only(), b.forward_only();
  }
};

class Add final : public LinearBinary {
  void forward(const Step&) override { add(a.data(), b.data(), y.data(), y.size()); }
  void backward(const Step&) override {
    if (a.wants_grad()) std::copy_n(y.grad(), y.size(), a.grad());
    if (b.wants_grad()) std::copy_n(y.grad(), y.size(), b.grad());
  }
};

class Subtract final : public LinearBinary {
  void forward(const Step&) override { subtract(a.data(), b.data(), y.data(), y.size()); }
  void backward(const Step&) override {
    if (a.wants_grad()) std::copy_n(y.grad(), y.size(), a.grad());
    if (b.wants_grad()) scale(y.grad(), -1, 0, b.grad(), y.size());
  }
};

class Multiply final : public Binary {
  void forward(const Step&) override { multiply(a.data(), b.data(), y.data(), y.size()); }
  void backward(const Step&) override {
    if (a.wants_grad()) multiply(y.grad(), b.data(), a.grad(), y.size());
    if (b.wants_grad()) multiply(y.grad(), a.data(), b.grad(), y.size());
  }
};

class Scale final : public Node {
  In x{this, "x", "Any shape."};
  Out y{this, "y", "Shaped as `x`."};
  Param<double> by{this, "by", "The factor.", required, scheduled()};
  Param<double> plus{this, "plus", "Added after it.", 0, scheduled()};

  void infer() override {
    y.shape(x.shape());
    x.forward_only(), y.forward_only();
  }
  void forward(const Step&) override {
    scale(x.data(), static_cast<float>(*by), static_cast<float>(*plus), y.data(), x.size());
  }
  void backward(const Step&) override {
    if (x.wants_grad()) scale(y.grad(), static_cast<float>(*by), 0, x.grad(), x.size());
  }
};

class Sum final : public Fusion {
 public:
  Sum() : Fusion("Their sum.") {}

 private:
  void infer() override {
    Fusion::infer();
    xs.forward_only();
  }
  void forward(const Step&) override {
    std::copy_n(xs[0].data(), y.size(), y.data());
    for (size_t i = 1; i < xs.size(); ++i) accumulate(xs[i].data(), y.data(), y.size());
  }
  void backward(const Step&) override {
    for (const auto& x : xs)
      if (x->wants_grad()) std::copy_n(y.grad(), y.size(), x->grad());
  }
};

WEFT_NODE(Add, "add", "a + b.", "{a: [4, 3], b: [4, 3]}")
WEFT_NODE(Subtract, "subtract", "a - b.", "{a: [4, 3], b: [4, 3]}")
WEFT_NODE(Multiply, "multiply", "a · b, element by element.", "{a: [4, 3], b: [4, 3]}")
WEFT_NODE(Scale, "scale", "x times a number, plus a number.", "{x: [4, 3], by: -0.5, plus: 2}")
WEFT_NODE(Sum, "sum", "The sum of several tensors.", "{xs: [[4, 3], [4, 3], [4, 3]]}")

}  // namespace
}  // namespace weft

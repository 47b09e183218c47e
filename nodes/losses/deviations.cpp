#include <cmath>

#include "framework/node/elementwise.h"

namespace weft {
namespace {

// The functions f of the deviation e = x - t, and their derivatives. `a` is huber's delta.
struct L1Maths {
  static float f(float e, float) { return e < 0 ? -e : e; }
  static float df(float e, float) { return static_cast<float>(e > 0) - static_cast<float>(e < 0); }
};
struct HuberMaths {  // Huber 1964
  static float f(float e, float a) {
    const float m = e < 0 ? -e : e;
    return m < a ? 0.5F * e * e : a * (m - 0.5F * a);
  }
  static float df(float e, float a) { return e > a ? a : e < -a ? -a : e; }
};

template <class Maths>
WEFT_SIMD float total(const float* __restrict x, const float* __restrict t, float a, int64_t n) {
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) sum += Maths::f(x[i] - t[i], a);
  return sum;
}

template <class Maths>
WEFT_SIMD void slopes(const float* __restrict x, const float* __restrict t, float a, float by,
                      float* __restrict grad, int64_t n) {
  for (int64_t i = 0; i < n; ++i) grad[i] = by * Maths::df(x[i] - t[i], a);
}

template <class Maths>
class Deviation : public ElementwiseLoss {
 public:
  Deviation() : ElementwiseLoss("[batch, ...]", "Shaped as `x`.") {}

 private:
  virtual float bend() const { return 0; }

  void forward(const Step&) override {
    const int64_t n = x.row_size();
    for (int64_t i = 0; i < y.rows(); ++i)
      y.data()[i] = share() * total<Maths>(x.data() + i * n, target.data() + i * n, bend(), n);
  }

  void backward(const Step&) override {
    const int64_t n = x.row_size();
    for (int64_t i = 0; i < y.rows(); ++i) {
      const float by = share() * y.grad()[i];
      const float *a = x.data() + i * n, *b = target.data() + i * n;
      if (x.wants_grad()) slopes<Maths>(a, b, bend(), by, x.grad() + i * n, n);
      if (target.wants_grad()) slopes<Maths>(b, a, bend(), by, target.grad() + i * n, n);
    }
  }
};

using L1 = Deviation<L1Maths>;

class Huber final : public Deviation<HuberMaths> {
  Param<double> delta{this, "delta", "Where squares end and the line begins.", 1,
                      scheduled(above(0))};
  float bend() const override { return static_cast<float>(*delta); }
};

WEFT_NODE(L1, "l1", "Absolute error, one value for each sample.",
          "{x: [4, 3, 5], target: [4, 3, 5]}")
WEFT_NODE(Huber, "huber", "Squared error that is linear far away (Huber 1964).",
          "{x: [4, 3, 5], target: [4, 3, 5], delta: 0.5}")

}  // namespace
}  // namespace weft

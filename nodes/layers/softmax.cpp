#include "framework/node/softmax.h"

#include <algorithm>
#include <cmath>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

WEFT_SIMD void log_softmax(const float* __restrict x, float sharp, float* __restrict y, int64_t n) {
  const float most = greatest(x, n);
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) {
    y[i] = sharp * (x[i] - most);
    sum += simd::exp(y[i]);
  }
  const float all = std::log(sum);
  for (int64_t i = 0; i < n; ++i) y[i] -= all;
}

// grad = -sharp p (Σ grad_y) along_y, p = e^y.
WEFT_SIMD void log_softmax_twice(const float* __restrict y, const float* __restrict grad_y,
                                 const float* __restrict along_y, float* __restrict grad, int64_t n,
                                 float sharp) {
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) sum += grad_y[i];
  for (int64_t i = 0; i < n; ++i) grad[i] = -sharp * sum * simd::exp(y[i]) * along_y[i];
}

// With t = Σ y g v - Σ y g · Σ y v: grad = dt/dy.
WEFT_SIMD void covariance_backward(const float* __restrict y, const float* __restrict g,
                                   const float* __restrict v, float* __restrict grad, int64_t n) {
  float yg = 0, yv = 0;
#pragma omp simd reduction(+ : yg, yv)
  for (int64_t i = 0; i < n; ++i) yg += y[i] * g[i], yv += y[i] * v[i];
  for (int64_t i = 0; i < n; ++i) grad[i] = g[i] * v[i] - v[i] * yg - g[i] * yv;
}

class OverClasses : public Node {
 protected:
  In x{this, "x", "Logits, [batch, ..., classes]."};
  Out y{this, "y", "Shaped as `x`."};
  Param<double> temperature{this, "temperature", "Divides the logits.", 1, scheduled(above(0))};

  float sharp() const { return 1 / static_cast<float>(*temperature); }

  // Calls f(offset, length) for each row of classes.
  template <class F>
  void each_row(F f) const {
    const int64_t c = x.shape().back();
    for (int64_t at = 0; at < x.size(); at += c) f(at, c);
  }

 private:
  Twice twice() const override { return Twice::yes; }
  void infer() override {
    if (x.shape().rank() < 2 || x.shape().back() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, ..., classes]");
    y.shape(x.shape());
    x.forward_only();
  }
};

class Softmax final : public OverClasses {
  void forward(const Step&) override {
    each_row([&](int64_t at, int64_t c) {
      std::copy_n(x.data() + at, c, y.data() + at);
      softmax(y.data() + at, c, sharp());
    });
  }
  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    each_row([&](int64_t at, int64_t c) {
      std::copy_n(y.grad() + at, c, x.grad() + at);
      softmax_backward(y.data() + at, x.grad() + at, c, sharp());
    });
  }
  void backward_twice(const Step&) override {
    each_row([&](int64_t at, int64_t c) {
      const float *from = y.data() + at, *v = x.tangent() + at;
      std::copy_n(v, c, y.tangent() + at);
      softmax_backward(from, y.tangent() + at, c, sharp());
      if (!x.wants_grad()) return;
      covariance_backward(from, y.grad() + at, v, x.grad() + at, c);
      softmax_backward(from, x.grad() + at, c, sharp() * sharp());
    });
  }
};

class LogSoftmax final : public OverClasses {
  void forward(const Step&) override {
    each_row([&](int64_t at, int64_t c) { log_softmax(x.data() + at, sharp(), y.data() + at, c); });
  }
  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    each_row([&](int64_t at, int64_t c) {
      log_softmax_backward(y.data() + at, 0, y.grad() + at, x.grad() + at, c, sharp());
    });
  }
  void backward_twice(const Step&) override {
    each_row([&](int64_t at, int64_t c) {
      const float* const from = y.data() + at;
      along(from, x.tangent() + at, y.tangent() + at, c, sharp());
      if (x.wants_grad())
        log_softmax_twice(from, y.grad() + at, y.tangent() + at, x.grad() + at, c, sharp());
    });
  }
  // to = sharp (v - Σ p v), p = e^y.
  static WEFT_SIMD void along(const float* __restrict y, const float* __restrict v,
                              float* __restrict to, int64_t n, float sharp) {
    float mean = 0;
    WEFT_SUM(mean)
    for (int64_t i = 0; i < n; ++i) mean += simd::exp(y[i]) * v[i];
    for (int64_t i = 0; i < n; ++i) to[i] = sharp * (v[i] - mean);
  }
};

WEFT_NODE(Softmax, "softmax", "Probabilities over the last axis.",
          "{x: [4, 3, 5], temperature: 0.7}")
WEFT_NODE(LogSoftmax, "log_softmax", "Logarithms of probabilities over the last axis.",
          "{x: [4, 3, 5], temperature: 0.7}")

}  // namespace
}  // namespace weft

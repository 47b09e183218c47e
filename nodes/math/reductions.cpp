#include <cmath>
#include <limits>

#include "framework/node/loops.h"
#include "framework/node/plugin.h"
#include "nodes/math/axes.h"
#include "nodes/math/broadcast.h"

namespace weft {
namespace {

// What is summed for y, or spread over x: functions of x, of g, the gradient of y, or v, what is
// shaped as x, and of c, y or what else there is one of for each number of y.
struct Number {
  static float of(float x, float) { return x; }
};
struct SquaredDeviation {
  static float of(float x, float c) { return (x - c) * (x - c); }
};
struct ExpAbove {
  static float of(float x, float c) { return simd::exp(x - c); }
};
struct IsThat {
  static float of(float x, float c) { return x == c ? 1 : 0; }
};
struct Grad {
  static float of(float, float g, float) { return g; }
};
struct TimesDeviation {
  static float of(float x, float v, float c) { return v * (x - c); }
};
struct TimesExp {
  static float of(float x, float v, float c) { return v * simd::exp(x - c); }
};
struct WhereThat {
  static float of(float x, float v, float c) { return x == c ? v : 0; }
};

// The greatest of sign · x in each row of a block, or in each column; NaN if one is NaN.
WEFT_SIMD void greatest_of_rows(const float* __restrict x, float sign, int64_t rows, int64_t cols,
                                float* __restrict y, int64_t stride) {
  for (int64_t i = 0; i < rows; ++i, x += cols, y += stride) {
    float most = *y, missing = *y == *y ? 0.0F : 1.0F;
    WEFT_PRAGMA(omp simd reduction(max : most) reduction(+ : missing))
    for (int64_t j = 0; j < cols; ++j) {
      most = sign * x[j] > most ? sign * x[j] : most;
      missing += x[j] == x[j] ? 0.0F : 1.0F;
    }
    *y = missing > 0 ? std::numeric_limits<float>::quiet_NaN() : most;
  }
}
WEFT_SIMD void greatest_of_cols(const float* __restrict x, float sign, int64_t rows, int64_t cols,
                                float* __restrict y, int64_t stride) {
  for (int64_t i = 0; i < rows; ++i, x += cols, y += stride)
    for (int64_t j = 0; j < cols; ++j)
      y[j] = sign * x[j] > y[j] || x[j] != x[j] ? sign * x[j] : y[j];
}

class Reduction : public Node {
 protected:
  In x{this, "x", "[batch, ...]"};
  Out y{this, "y", "`x` without `axes`; [batch] if all are."};
  Param<std::vector<int64_t>> axes{
      this, "axes", "Which to reduce: 1 is the first behind the batch, -1 the last; none, all.",
      std::vector<int64_t>{}};
  Param<bool> keep{this, "keep", "Leaves the axes, with the extent 1.", false};

  Shape kept() const { return reduced(x.shape(), *axes, true); }  // of y, if axes were kept
  int64_t count() const { return x.row_size() / std::max<int64_t>(y.row_size(), 1); }

  void infer() override {
    if (x.shape().rank() == 0) throw Error("`x` is one number, [], but must be [batch, ...]");
    y.shape(reduced(x.shape(), *axes, *keep));
    if (x.row_size() == 0) throw Error("`x` is " + x.shape().str() + ": there is nothing in it");
  }
  void prepare(Pass pass) override {
    over_ = {x.shape(), {x.shape(), kept()}};
    if (pass == Pass::backward || pass == Pass::backward_twice)
      spread_ = {x.shape(), {x.shape(), kept(), kept()}};
    if (pass == Pass::backward_twice) along_ = {x.shape(), {x.shape(), x.shape(), kept()}};
  }

  // to = Σ F(x, c), shaped as y.
  template <class F>
  void sum(const float* c, float* to) const {
    over_.template sum<F, 1>({x.data(), c}, to);
  }
  // to = Σ v, shaped as y, of what is shaped as x.
  void total(const float* v, float* to) const { over_.template sum<Number, 1>({v, to}, to); }
  // The gradient of x = F(x, that of y, c).
  template <class F>
  void spread(const float* c) const {
    spread<F>(x.data(), c, x.grad());
  }
  // to = F(from, the gradient of y, c), shaped as x.
  template <class F>
  void spread(const float* from, const float* c, float* to) const {
    spread_.template map<F>(std::array<const float*, 3>{from, y.grad(), c}, to);
  }
  // to = Σ F(x, v, c), shaped as y, and to = F(from, v, c), shaped as x.
  template <class F>
  void sum(const float* v, const float* c, float* to) const {
    along_.template sum<F, 2>({x.data(), v, c}, to);
  }
  template <class F>
  void map(const float* from, const float* v, const float* c, float* to) const {
    along_.template map<F>(std::array{from, v, c}, to);
  }
  // to = the greatest sign · x, shaped as y.
  void greatest(float sign, float* to) const {
    std::fill_n(to, y.size(), -std::numeric_limits<float>::infinity());
    const Walk<2>& walk = over_.walk();
    const bool rows = walk.inner().strides[1] == 0 && walk.cols() > 1;
    walk.each_block([&](int64_t at, const auto& offsets) {
      (rows ? greatest_of_rows : greatest_of_cols)(x.data() + at, sign, walk.rows(), walk.cols(),
                                                   to + offsets[1], walk.outer().strides[1]);
    });
  }

 private:
  Broadcast<2, 1> over_;
  Broadcast<3, 1> spread_;
  Broadcast<3, 2> along_;
};

class Sum : public Reduction {
  virtual float share() const { return 1; }

  Twice twice() const final { return Twice::linear; }
  void infer() final {
    Reduction::infer();
    x.forward_only(), y.forward_only();
  }
  void forward(const Step&) final {
    sum<Number>(y.data(), y.data());
    scale(y.data(), share(), y.size());
  }
  void backward(const Step&) final {
    if (!x.wants_grad()) return;
    scale(y.grad(), share(), y.size());
    spread<Grad>(y.grad());
  }
};

class Mean final : public Sum {
  float share() const override { return 1 / static_cast<float>(count()); }
};

class Variance final : public Reduction {
  Param<bool> unbiased{this, "unbiased", "Divides by one less than there are.", false};
  Saved mean{this, "mean", "Shaped as `y`."};
  std::vector<float> mean_;  // outside training; of the tangent

  float share(float of) const { return of / static_cast<float>(count() - (*unbiased ? 1 : 0)); }

  void infer() override {
    Reduction::infer();
    if (*unbiased && count() < 2)
      throw Error("`x` is " + x.shape().str() + ", in which an `unbiased` variance of " +
                  std::to_string(count()) + " number has no meaning");
    mean.shape(y.shape());
    y.forward_only();
  }
  void prepare(Pass pass) override {
    Reduction::prepare(pass);
    if (!training() || pass == Pass::backward_twice) mean_.resize(static_cast<size_t>(y.size()));
  }
  void forward(const Step&) override {
    float* const m = training() ? mean.data() : mean_.data();
    sum<Number>(m, m);
    scale(m, 1 / static_cast<float>(count()), y.size());
    sum<SquaredDeviation>(m, y.data());
    scale(y.data(), share(1), y.size());
  }
  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    scale(y.grad(), share(2), y.size());
    spread<TimesDeviation>(mean.data());
  }
  Twice twice() const override { return Twice::yes; }
  void backward_twice(const Step&) override {
    const float* const v = x.tangent();
    sum<TimesDeviation>(v, mean.data(), y.tangent());
    scale(y.tangent(), share(2), y.size());
    if (!x.wants_grad()) return;
    total(v, mean_.data());
    scale(mean_.data(), 1 / static_cast<float>(count()), y.size());
    spread<TimesDeviation>(v, mean_.data(), x.grad());
    scale(x.grad(), share(2), x.size());
  }
};

template <int sign>
class Extreme final : public Reduction {
  std::vector<float> equals_;  // in backward()

  void prepare(Pass pass) override {
    Reduction::prepare(pass);
    if (pass != Pass::forward) equals_.resize(static_cast<size_t>(y.size()));
  }
  void forward(const Step&) override {
    greatest(sign, y.data());
    scale(y.data(), sign, y.size());
  }
  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    sum<IsThat>(y.data(), equals_.data());
    for (int64_t i = 0; i < y.size(); ++i) y.grad()[i] /= equals_[static_cast<size_t>(i)];
    spread<WhereThat>(y.data());
  }
  Twice twice() const override { return Twice::yes; }
  void backward_twice(const Step&) override {
    sum<IsThat>(y.data(), equals_.data());
    sum<WhereThat>(x.tangent(), y.data(), y.tangent());
    for (int64_t i = 0; i < y.size(); ++i) y.tangent()[i] /= equals_[static_cast<size_t>(i)];
    if (x.wants_grad()) std::fill_n(x.grad(), x.size(), 0.0F);
  }
};

using Max = Extreme<1>;
using Min = Extreme<-1>;

class LogSumExp final : public Reduction {
  std::vector<float> most_;    // in forward()
  std::vector<float> grad_x_;  // in backward_twice()

  void prepare(Pass pass) override {
    Reduction::prepare(pass);
    if (pass == Pass::forward) most_.resize(static_cast<size_t>(y.size()));
    if (pass == Pass::backward_twice) grad_x_.resize(static_cast<size_t>(x.size()));
  }
  void forward(const Step&) override {
    greatest(1, most_.data());
    sum<ExpAbove>(most_.data(), y.data());
    for (int64_t i = 0; i < y.size(); ++i)
      y.data()[i] = most_[static_cast<size_t>(i)] + std::log(y.data()[i]);
  }
  void backward(const Step&) override {
    if (x.wants_grad()) spread<TimesExp>(y.data());
  }
  Twice twice() const override { return Twice::yes; }
  void backward_twice(const Step&) override {
    sum<TimesExp>(x.tangent(), y.data(), y.tangent());
    if (!x.wants_grad()) return;
    spread<TimesExp>(x.data(), y.data(), grad_x_.data());
    map<TimesDeviation>(x.tangent(), grad_x_.data(), y.tangent(), x.grad());
  }
};

WEFT_NODE(Sum, "sum", "The sum over axes of each sample.", "{x: [4, 3, 2, 5], axes: [1, -1]}")
WEFT_NODE(Mean, "mean", "The mean over axes of each sample.", "{x: [4, 3, 2, 5]}")
WEFT_NODE(Variance, "variance", "The variance over axes of each sample.",
          "{x: [4, 3, 2, 5], axes: [2, 1], keep: true, unbiased: true}")
WEFT_NODE(Max, "max", "The greatest number over axes of each sample; equals share the gradient.",
          "{x: [4, 3, 2, 5], axes: [1, 3]}")
WEFT_NODE(Min, "min", "The smallest number over axes of each sample; equals share the gradient.",
          "{x: [4, 3, 2, 5], axes: 1}")
WEFT_NODE(LogSumExp, "logsumexp", "ln Σ e^x over axes of each sample, without overflow.",
          "{x: [4, 3, 2, 5], axes: [1, -1], keep: true}")

}  // namespace
}  // namespace weft

#include <cmath>
#include <vector>

#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"

namespace weft {
namespace {

// The loops are over rows: x, y and what is like them are [rows, c], weight and bias [c], mean and
// rstd [rows]. With x̂ = (x - mean) rstd, y = x̂ weight + bias. What is not centred has neither mean
// nor bias.

// mean and rstd may be null: outside training.
template <bool centred>
WEFT_SIMD void normalise(const float* __restrict x, const float* __restrict weight,
                         const float* __restrict bias, float* __restrict y, float* __restrict mean,
                         float* __restrict rstd, int64_t rows, int64_t c, float eps) {
  for (int64_t i = 0; i < rows; ++i, x += c, y += c) {
    float sum = 0, squares = 0;
    WEFT_SUM(sum)
    for (int64_t j = 0; j < c; ++j) sum += x[j];
    const float mu = centred ? sum / static_cast<float>(c) : 0;
    WEFT_SUM(squares)
    for (int64_t j = 0; j < c; ++j) squares += (x[j] - mu) * (x[j] - mu);
    const float r = 1 / std::sqrt(squares / static_cast<float>(c) + eps);
    for (int64_t j = 0; j < c; ++j) y[j] = (x[j] - mu) * r * weight[j] + (centred ? bias[j] : 0);
    if (centred && mean) mean[i] = mu;
    if (rstd) rstd[i] = r;
  }
}

template <bool centred>
WEFT_SIMD void grad_rows(const float* __restrict grad, const float* __restrict x,
                         const float* __restrict weight, const float* __restrict mean,
                         const float* __restrict rstd, float* __restrict grad_x, int64_t rows,
                         int64_t c) {
  for (int64_t i = 0; i < rows; ++i, grad += c, x += c, grad_x += c) {
    const float mu = centred ? mean[i] : 0, r = rstd[i];
    float sum = 0, product = 0;  // Σ g and Σ g x̂, where g = dy weight
#pragma omp simd reduction(+ : sum, product)
    for (int64_t j = 0; j < c; ++j) {
      const float g = grad[j] * weight[j];
      sum += g;
      product += g * ((x[j] - mu) * r);
    }
    sum = centred ? sum / static_cast<float>(c) : 0;
    product /= static_cast<float>(c);
    for (int64_t j = 0; j < c; ++j)
      grad_x[j] = r * (grad[j] * weight[j] - sum - (x[j] - mu) * r * product);
  }
}

// weight = Σ dy x̂ over rows, for `cols` columns of rows that lie `stride` apart.
template <bool centred>
WEFT_SIMD void grad_weights(const float* __restrict grad, const float* __restrict x,
                            const float* __restrict mean, const float* __restrict rstd,
                            int64_t rows, int64_t stride, int64_t cols, float* __restrict weight) {
  for (int64_t j = 0; j < cols; ++j) weight[j] = 0;
  for (int64_t i = 0; i < rows; ++i, grad += stride, x += stride) {
    const float mu = centred ? mean[i] : 0;
    for (int64_t j = 0; j < cols; ++j) weight[j] += grad[j] * ((x[j] - mu) * rstd[i]);
  }
}

// With P u = u - mean of u - x̂ · mean of u x̂, the derivative of x̂ along v is rstd P v, and that of
// Σ a rstd P v is -rstd² (x̂ · mean of a P v + mean of v x̂ · P a + mean of a x̂ · P v).
template <bool centred>
WEFT_SIMD void twice_rows(const float* __restrict grad, const float* __restrict along,
                          const float* __restrict x, const float* __restrict weight,
                          const float* __restrict mean, const float* __restrict rstd,
                          float* __restrict along_y, float* __restrict grad_x, int64_t rows,
                          int64_t c) {
  const float share = 1 / static_cast<float>(c);
  for (int64_t i = 0; i < rows; ++i, grad += c, along += c, x += c, along_y += c) {
    const float mu = centred ? mean[i] : 0, r = rstd[i];
    float a = 0, v = 0, ax = 0, vx = 0, av = 0;
#pragma omp simd reduction(+ : a, v, ax, vx, av)
    for (int64_t j = 0; j < c; ++j) {
      const float g = grad[j] * weight[j], normal = (x[j] - mu) * r;
      a += g, v += along[j], ax += g * normal, vx += along[j] * normal, av += g * along[j];
    }
    a = centred ? a * share : 0, v = centred ? v * share : 0;
    ax *= share, vx *= share;
    const float all = av * share - a * v - ax * vx;
    for (int64_t j = 0; j < c; ++j)
      along_y[j] = weight[j] * r * (along[j] - v - (x[j] - mu) * r * vx);
    if (!grad_x) continue;
    for (int64_t j = 0; j < c; ++j) {
      const float normal = (x[j] - mu) * r;
      const float of_a = grad[j] * weight[j] - a - normal * ax, of_v = along[j] - v - normal * vx;
      grad_x[j] = -r * r * (normal * all + vx * of_a + ax * of_v);
    }
    grad_x += c;
  }
}

// weight = Σ dy rstd P v over rows, for the columns from `begin` on.
template <bool centred>
WEFT_SIMD void twice_weights(const float* __restrict grad, const float* __restrict along,
                             const float* __restrict x, const float* __restrict mean,
                             const float* __restrict rstd, int64_t rows, int64_t c, Range columns,
                             float* __restrict weight) {
  for (int64_t j = 0; j < columns.size(); ++j) weight[j] = 0;
  for (int64_t i = 0; i < rows; ++i, grad += c, along += c, x += c) {
    const float mu = centred ? mean[i] : 0, r = rstd[i];
    float v = 0, vx = 0;
#pragma omp simd reduction(+ : v, vx)
    for (int64_t j = 0; j < c; ++j) v += along[j], vx += along[j] * ((x[j] - mu) * r);
    v = centred ? v / static_cast<float>(c) : 0, vx /= static_cast<float>(c);
    for (int64_t j = columns.begin; j < columns.end; ++j)
      weight[j - columns.begin] += grad[j] * r * (along[j] - v - (x[j] - mu) * r * vx);
  }
}

template <bool centred>
class RowNorm : public Node {
 protected:
  In x{this, "x", "[batch, ..., c]; each row of c numbers is normalised."};
  Out y{this, "y", "Shaped as `x`."};
  Param<double> eps{this, "eps", "Added under the root.", 1e-5, above(0)};
  Param<bool> affine{this, "affine", "The result is scaled, and shifted, by learned numbers.",
                     true};
  Weight weight{this, "weight", "[c]; absent if `affine: false`"};
  Saved rstd{this, "rstd", "What each row is multiplied by, [batch, ..., 1]."};

  int64_t c() const { return x.shape().back(); }
  int64_t rows() const { return x.size() / c(); }
  // If a sample has several rows, such as tokens, the node learns in lanes: a lane's rows are in
  // the cache.
  bool learns_in_lanes() const override { return x.row_size() > c(); }

  void infer() override {
    if (x.shape().rank() < 2 || c() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, ..., c]");
    y.shape(x.shape());
    y.forward_only();
    if (*affine) weight.shape({c()}, Init::constant(1));
    rstd.shape(x.shape().with_back(1));
  }

  void learn(const Step&) override {
    const Range block = weight.block();
    if (weight.wants_grad())
      grad_weights<centred>(y.grad() + block.begin, x.data() + block.begin, means(), rstd.data(),
                            rows(), c(), block.size(), weight.grad());
  }
  void learn_twice(const Step&) override {
    if (weight.wants_grad())
      twice_weights<centred>(y.grad(), x.tangent(), x.data(), means(), rstd.data(), rows(), c(),
                             weight.block(), weight.grad());
  }

  std::vector<float> ones_, zeros_;  // [c], for weights that are absent

 private:
  virtual float* means() const { return nullptr; }
  virtual const float* offsets() const { return nullptr; }
  const float* scales() const { return *affine ? weight.data() : ones_.data(); }

  void prepare(Pass) override {
    if (*affine) return;
    ones_.assign(static_cast<size_t>(c()), 1), zeros_.assign(static_cast<size_t>(c()), 0);
  }
  void forward(const Step&) override {
    normalise<centred>(x.data(), scales(), offsets(), y.data(), means(), rstd.data(), rows(), c(),
                       static_cast<float>(*eps));
  }
  void backward(const Step&) override {
    if (x.wants_grad())
      grad_rows<centred>(y.grad(), x.data(), scales(), means(), rstd.data(), x.grad(), rows(), c());
  }
  Twice twice() const override { return Twice::yes; }
  void backward_twice(const Step&) override {
    twice_rows<centred>(y.grad(), x.tangent(), x.data(), scales(), means(), rstd.data(),
                        y.tangent(), x.wants_grad() ? x.grad() : nullptr, rows(), c());
  }
};

class LayerNorm final : public RowNorm<true> {
  Weight bias{this, "bias", "[c]; absent if `affine: false`"};
  Saved mean{this, "mean", "Of each row, [batch, ..., 1]."};

  float* means() const override { return mean.data(); }
  const float* offsets() const override { return *affine ? bias.data() : zeros_.data(); }

  void infer() override {
    RowNorm::infer();
    if (*affine) bias.shape({c()}, Init::constant(0));
    mean.shape(x.shape().with_back(1));
  }
  void learn(const Step& step) override {
    RowNorm::learn(step);
    if (const Range block = bias.block(); bias.wants_grad())
      sum_rows(y.grad() + block.begin, rows(), c(), block.size(), bias.grad());
  }
  void learn_twice(const Step& step) override {
    RowNorm::learn_twice(step);
    if (bias.wants_grad()) std::fill_n(bias.grad(), bias.block().size(), 0.0F);
  }
};

using RmsNorm = RowNorm<false>;

WEFT_NODE(LayerNorm, "layer_norm", "Normalises each row of the last axis (Ba et al. 2016).",
          "{x: [4, 3, 5]}")
WEFT_NODE(RmsNorm, "rms_norm",
          "Divides each row of the last axis by its root mean square (Zhang & Sennrich 2019, "
          "arXiv:1910.07467, eq. 4).",
          "{x: [4, 3, 5]}")

}  // namespace
}  // namespace weft

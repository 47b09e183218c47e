#include <cmath>

#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"

namespace weft {
namespace {

// y = x̂ weight + bias with x̂ = (x - mean) rstd, for each row. x and y are [rows, c], weight and
// bias [c], mean and rstd [rows], or null outside training.
WEFT_SIMD void normalise(const float* __restrict x, const float* __restrict weight,
                         const float* __restrict bias, float* __restrict y, float* __restrict mean,
                         float* __restrict rstd, int64_t rows, int64_t c, float eps) {
  for (int64_t i = 0; i < rows; ++i, x += c, y += c) {
    float sum = 0, squares = 0;
    WEFT_SUM(sum)
    for (int64_t j = 0; j < c; ++j) sum += x[j];
    const float mu = sum / static_cast<float>(c);
    WEFT_SUM(squares)
    for (int64_t j = 0; j < c; ++j) squares += (x[j] - mu) * (x[j] - mu);
    const float r = 1 / std::sqrt(squares / static_cast<float>(c) + eps);
    for (int64_t j = 0; j < c; ++j) y[j] = (x[j] - mu) * r * weight[j] + bias[j];
    if (mean) mean[i] = mu, rstd[i] = r;
  }
}

WEFT_SIMD void grad_rows(const float* __restrict grad, const float* __restrict x,
                         const float* __restrict weight, const float* __restrict mean,
                         const float* __restrict rstd, float* __restrict grad_x, int64_t rows,
                         int64_t c) {
  for (int64_t i = 0; i < rows; ++i, grad += c, x += c, grad_x += c) {
    const float mu = mean[i], r = rstd[i];
    float sum = 0, product = 0;  // Σ g and Σ g x̂, where g = dy weight
#pragma omp simd reduction(+ : sum, product)
    for (int64_t j = 0; j < c; ++j) {
      const float g = grad[j] * weight[j];
      sum += g;
      product += g * ((x[j] - mu) * r);
    }
    sum /= static_cast<float>(c);
    product /= static_cast<float>(c);
    for (int64_t j = 0; j < c; ++j)
      grad_x[j] = r * (grad[j] * weight[j] - sum - (x[j] - mu) * r * product);
  }
}

// weight = Σ dy x̂ over rows, for `cols` columns of rows that lie `stride` apart.
WEFT_SIMD void grad_weights(const float* __restrict grad, const float* __restrict x,
                            const float* __restrict mean, const float* __restrict rstd,
                            int64_t rows, int64_t stride, int64_t cols, float* __restrict weight) {
  for (int64_t j = 0; j < cols; ++j) weight[j] = 0;
  for (int64_t i = 0; i < rows; ++i, grad += stride, x += stride)
    for (int64_t j = 0; j < cols; ++j) weight[j] += grad[j] * ((x[j] - mean[i]) * rstd[i]);
}

class LayerNorm final : public Node {
  In x{this, "x", "[batch, ..., c]; each row of c numbers is normalised."};
  Out y{this, "y", "Shaped as `x`."};
  Param<double> eps{this, "eps", "Added to the variance.", 1e-5, above(0)};
  Weight weight{this, "weight", "[c]"};
  Weight bias{this, "bias", "[c]"};
  Saved mean{this, "mean", "Of each row, [batch, ..., 1]."};
  Saved rstd{this, "rstd", "1 / sqrt(variance + eps) of each row, [batch, ..., 1]."};

  int64_t c() const { return x.shape().back(); }
  // If a sample has several rows, such as tokens, the node learns in lanes: a lane's rows are in
  // the cache.
  bool learns_in_lanes() const override { return x.row_size() > c(); }

  void infer() override {
    if (x.shape().rank() < 2 || c() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, ..., c]");
    y.shape(x.shape());
    y.forward_only();
    weight.shape({c()}, Init::constant(1));
    bias.shape({c()}, Init::constant(0));
    mean.shape(x.shape().with_back(1));
    rstd.shape(x.shape().with_back(1));
  }

  void forward(const Step&) override {
    normalise(x.data(), weight.data(), bias.data(), y.data(), mean.data(), rstd.data(),
              x.size() / c(), c(), static_cast<float>(*eps));
  }

  void backward(const Step&) override {
    if (x.wants_grad())
      grad_rows(y.grad(), x.data(), weight.data(), mean.data(), rstd.data(), x.grad(),
                x.size() / c(), c());
  }

  void learn(const Step&) override {
    const int64_t rows = x.size() / c();
    if (const Range block = weight.block(); weight.wants_grad())
      grad_weights(y.grad() + block.begin, x.data() + block.begin, mean.data(), rstd.data(), rows,
                   c(), block.size(), weight.grad());
    if (const Range block = bias.block(); bias.wants_grad())
      sum_rows(y.grad() + block.begin, rows, c(), block.size(), bias.grad());
  }
};

WEFT_NODE(LayerNorm, "layer_norm", "Normalises each row of the last axis (Ba et al. 2016).",
          "{x: [4, 3, 5]}")

}  // namespace
}  // namespace weft

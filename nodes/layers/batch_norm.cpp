#include <algorithm>
#include <cmath>

#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"

namespace weft {
namespace {

// Below, x is [rows, c]. Sums over rows are kept in double precision.
WEFT_SIMD void sum_rows(const float* __restrict x, int64_t rows, int64_t c,
                        double* __restrict sum) {
  for (int64_t j = 0; j < c; ++j) sum[j] = 0;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < c; ++j) sum[j] += x[i * c + j];
}

WEFT_SIMD void sum_squares(const float* __restrict x, const float* __restrict mean, int64_t rows,
                           int64_t c, double* __restrict sum) {
  for (int64_t j = 0; j < c; ++j) sum[j] = 0;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < c; ++j) {
      const float d = x[i * c + j] - mean[j];
      sum[j] += d * d;
    }
}

WEFT_SIMD void normalise(const float* __restrict x, const float* __restrict mean,
                         const float* __restrict rstd, const float* __restrict weight,
                         const float* __restrict bias, float* __restrict y, int64_t rows,
                         int64_t c) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < c; ++j)
      y[i * c + j] = (x[i * c + j] - mean[j]) * rstd[j] * weight[j] + bias[j];
}

// Of the columns shown: sum = Σ dy and product = Σ dy x̂, of rows that lie `stride` apart.
WEFT_SIMD void sum_grads(const float* __restrict grad, const float* __restrict x,
                         const float* __restrict mean, const float* __restrict rstd, int64_t rows,
                         int64_t stride, int64_t cols, double* __restrict sum,
                         double* __restrict product) {
  for (int64_t j = 0; j < cols; ++j) sum[j] = product[j] = 0;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; ++j) {
      const float dy = grad[i * stride + j];
      sum[j] += dy;
      product[j] += dy * ((x[i * stride + j] - mean[j]) * rstd[j]);
    }
}

WEFT_SIMD void grad_rows(const float* __restrict grad, const float* __restrict x,
                         const float* __restrict mean, const float* __restrict rstd,
                         const float* __restrict weight, const double* __restrict sum,
                         const double* __restrict product, float* __restrict grad_x, int64_t rows,
                         int64_t c) {
  const auto m = static_cast<float>(rows);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < c; ++j) {
      const float x_hat = (x[i * c + j] - mean[j]) * rstd[j];
      const float centred = grad[i * c + j] - static_cast<float>(sum[j]) / m -
                            x_hat * (static_cast<float>(product[j]) / m);
      grad_x[i * c + j] = weight[j] * rstd[j] * centred;
    }
}

WEFT_SIMD void scale_rows(const float* __restrict grad, const float* __restrict weight,
                          const float* __restrict rstd, float* __restrict grad_x, int64_t rows,
                          int64_t c) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < c; ++j) grad_x[i * c + j] = grad[i * c + j] * weight[j] * rstd[j];
}

class BatchNorm final : public Node {
  In x{this, "x", "[batch, ..., c]; normalised over all axes but the last."};
  Out y{this, "y", "Shaped as `x`."};
  Param<double> eps{this, "eps", "Added to the variance.", 1e-5, above(0)};
  Param<double> momentum{this, "momentum", "Share of the new batch in the running statistics.", 0.1,
                         within(0, 1)};
  Weight weight{this, "weight", "[c]"};
  Weight bias{this, "bias", "[c]"};
  State running_mean{this, "running_mean", "[c]; used outside training, and in frozen modules."};
  State running_var{this, "running_var", "[c]; unbiased; used outside training."};
  Saved mean{this, "mean", "[c]; of this batch."};
  Saved rstd{this, "rstd", "[c]; 1 / sqrt(variance + eps) of this batch."};

  std::vector<double> sum_, product_;
  std::vector<float> running_rstd_;

  bool whole_batch() const override { return training() && !frozen(); }
  int64_t c() const { return x.shape().back(); }
  int64_t sites(const Step& step) const { return step.rows * (x.row_size() / c()); }

  void infer() override {
    if (x.shape().rank() < 2 || c() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, ..., c]");
    y.shape(x.shape());
    weight.shape({c()}, Init::constant(1));
    bias.shape({c()}, Init::constant(0));
    running_mean.shape({c()}, 0);
    running_var.shape({c()}, 1);
    if (!whole_batch()) return;
    mean.shape({c()});
    rstd.shape({c()});
  }

  void prepare(Pass) override {
    sum_.resize(c());
    product_.resize(c());
    running_rstd_.resize(c());
  }

  void forward(const Step& step) override {
    const int64_t rows = x.size() / c();
    if (whole_batch()) {
      measure(sites(step));
      normalise(x.data(), mean.data(), rstd.data(), weight.data(), bias.data(), y.data(), rows,
                c());
      return;
    }
    for (int64_t j = 0; j < c(); ++j)
      running_rstd_[j] = 1 / std::sqrt(running_var.data()[j] + static_cast<float>(*eps));
    normalise(x.data(), running_mean.data(), running_rstd_.data(), weight.data(), bias.data(),
              y.data(), rows, c());
  }

  // The statistics of the first `m` rows, and their part in the running ones.
  void measure(int64_t m) {
    const double share = *momentum, unbiased = m > 1 ? 1.0 / (m - 1) : 0;
    const auto blend = [&](float& running, double now) {
      running = static_cast<float>((1 - share) * running + share * now);
    };
    sum_rows(x.data(), m, c(), sum_.data());
    for (int64_t j = 0; j < c(); ++j) mean.data()[j] = static_cast<float>(sum_[j] / m);
    sum_squares(x.data(), mean.data(), m, c(), product_.data());
    for (int64_t j = 0; j < c(); ++j) {
      rstd.data()[j] = static_cast<float>(1 / std::sqrt(product_[j] / m + *eps));
      blend(running_mean.data()[j], sum_[j] / m);
      blend(running_var.data()[j], product_[j] * unbiased);
    }
  }

  void backward(const Step& step) override {  // Ioffe & Szegedy 2015, section 3
    if (!x.wants_grad()) return;
    if (frozen())
      return scale_rows(y.grad(), weight.data(), running_rstd_.data(), x.grad(), x.size() / c(),
                        c());
    const int64_t m = sites(step);
    sum_grads(y.grad(), x.data(), mean.data(), rstd.data(), m, c(), c(), sum_.data(),
              product_.data());
    grad_rows(y.grad(), x.data(), mean.data(), rstd.data(), weight.data(), sum_.data(),
              product_.data(), x.grad(), m, c());
    std::fill(x.grad() + m * c(), x.grad() + x.size(), 0.0F);
  }

  void learn(const Step& step) override {
    const auto [begin, end] = weight.wants_grad() ? weight.block() : bias.block();
    sum_grads(y.grad() + begin, x.data() + begin, mean.data() + begin, rstd.data() + begin,
              sites(step), c(), end - begin, sum_.data(), product_.data());
    if (weight.wants_grad()) std::copy_n(product_.data(), end - begin, weight.grad());
    if (bias.wants_grad()) std::copy_n(sum_.data(), end - begin, bias.grad());
  }
};

WEFT_NODE(
    BatchNorm, "batch_norm",
    "Normalises each feature over the batch (Ioffe & Szegedy 2015); the last axis is features.",
    "{x: [7, 2, 5]}")

}  // namespace
}  // namespace weft

#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"

namespace weft {
namespace {

WEFT_SIMD float divergence(const float* __restrict mean, const float* __restrict log_var,
                           int64_t n) {
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i)
    sum += 0.5F * (simd::exp(log_var[i]) + mean[i] * mean[i] - 1 - log_var[i]);
  return sum;
}

WEFT_SIMD void grad_mean(const float* __restrict mean, float grad_y, float* __restrict grad,
                         int64_t n) {
  for (int64_t i = 0; i < n; ++i) grad[i] = grad_y * mean[i];
}

WEFT_SIMD void grad_log_var(const float* __restrict log_var, float grad_y, float* __restrict grad,
                            int64_t n) {
  for (int64_t i = 0; i < n; ++i) grad[i] = grad_y * 0.5F * (simd::exp(log_var[i]) - 1);
}

class GaussianKl final : public Node {
  In mean{this, "mean", "[batch, ...]"};
  In log_var{this, "log_var", "Logarithm of the variance, shaped as `mean`.", {.unlike = "mean"}};
  Out y{this, "y", "[batch]; summed over a sample, in nats."};

  void infer() override {
    if (mean.shape() != log_var.shape() || mean.shape().rank() < 1)
      throw Error("`mean` is " + mean.shape().str() + " and `log_var` is " + log_var.shape().str() +
                  ", but both must be [batch, ...]");
    y.shape({mean.rows()});
  }

  void forward(const Step&) override {  // Kingma & Welling 2013, appendix B
    const int64_t n = mean.row_size();
    for (int64_t i = 0; i < y.rows(); ++i)
      y.data()[i] = divergence(mean.data() + i * n, log_var.data() + i * n, n);
  }

  void backward(const Step&) override {
    const int64_t n = mean.row_size();
    for (int64_t i = 0; i < y.rows(); ++i) {
      const int64_t at = i * n;
      if (mean.wants_grad()) grad_mean(mean.data() + at, y.grad()[i], mean.grad() + at, n);
      if (log_var.wants_grad())
        grad_log_var(log_var.data() + at, y.grad()[i], log_var.grad() + at, n);
    }
  }
};

WEFT_NODE(GaussianKl, "gaussian_kl",
          "KL divergence of a diagonal Gaussian from the standard one, summed over a sample.",
          "{mean: [4, 5], log_var: [4, 5]}")

}  // namespace
}  // namespace weft

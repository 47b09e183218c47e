#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"

namespace weft {
namespace {

// z = mean + exp(log_var / 2) eps, in place: z holds eps before.
WEFT_SIMD void sample(const float* __restrict mean, const float* __restrict log_var,
                      float* __restrict z, int64_t n) {
  for (int64_t i = 0; i < n; ++i) z[i] = mean[i] + simd::exp(0.5F * log_var[i]) * z[i];
}

WEFT_SIMD void grad_log_var(const float* __restrict grad_z, const float* __restrict log_var,
                            const float* __restrict eps, float* __restrict grad, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    grad[i] = grad_z[i] * 0.5F * simd::exp(0.5F * log_var[i]) * eps[i];
}

class GaussianSample final : public Node {
  In mean{this, "mean", "[batch, ...]"};
  In log_var{this, "log_var", "Logarithm of the variance, shaped as `mean`.", {.unlike = "mean"}};
  Out z{this, "z", "One sample of each distribution, shaped as `mean`."};
  Saved eps{this, "eps", "Standard normal numbers, shaped as `mean`."};

  void infer() override {
    if (mean.shape() != log_var.shape() || mean.shape().rank() < 1)
      throw Error("`mean` is " + mean.shape().str() + " and `log_var` is " + log_var.shape().str() +
                  ", but both must be [batch, ...]");
    z.shape(mean.shape());
    mean.forward_only(), z.forward_only();
    eps.shape(mean.shape());
  }

  void forward(const Step& step) override {  // Kingma & Welling 2013, eq. 10
    for (int64_t row = 0; row < z.rows(); ++row)
      random(step, row).normal({z.data() + row * z.row_size(), size_t(z.row_size())});
    if (training()) std::copy_n(z.data(), z.size(), eps.data());
    sample(mean.data(), log_var.data(), z.data(), z.size());
  }

  void backward(const Step&) override {
    if (mean.wants_grad()) std::copy_n(z.grad(), z.size(), mean.grad());
    if (log_var.wants_grad())
      grad_log_var(z.grad(), log_var.data(), eps.data(), log_var.grad(), z.size());
  }
};

WEFT_NODE(GaussianSample, "gaussian_sample",
          "mean + exp(log_var / 2) eps: the reparameterised sample of Kingma & Welling 2013.",
          "{mean: [4, 5], log_var: [4, 5]}")

}  // namespace
}  // namespace weft

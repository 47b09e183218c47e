#include "framework/node/plugin.h"
#include "nodes/math/axes.h"
#include "nodes/math/broadcast.h"

namespace weft {
namespace {

// Functions of the mean m, the logarithm l of the variance, those of the prior, p and q, and g, the
// gradient of the result.
struct Divergence {
  static float of(float m, float l, float p, float q, float) {
    return 0.5F * ((simd::exp(l) + (m - p) * (m - p)) * simd::exp(-q) - 1 + q - l);
  }
};
struct GradMean {
  static float of(float m, float, float p, float q, float g) { return g * (m - p) * simd::exp(-q); }
};
struct GradLogVar {
  static float of(float, float l, float, float q, float g) {
    return 0.5F * g * (simd::exp(l - q) - 1);
  }
};
struct GradPriorMean {
  static float of(float m, float, float p, float q, float g) { return g * (p - m) * simd::exp(-q); }
};
struct GradPriorLogVar {
  static float of(float m, float l, float p, float q, float g) {
    return 0.5F * g * (1 - (simd::exp(l) + (m - p) * (m - p)) * simd::exp(-q));
  }
};

class GaussianKl final : public Node {
  In mean{this, "mean", "[batch, ...]"};
  In log_var{this, "log_var", "Logarithm of the variance, shaped as `mean`.", {.unlike = "mean"}};
  In prior_mean{this,
                "prior_mean",
                "Of the other Gaussian, broadcast to `mean`, as NumPy has it; 0 if not wired.",
                {.optional = true, .shared = true}};
  In prior_log_var{this,
                   "prior_log_var",
                   "Logarithm of its variance, broadcast likewise; 0 if not wired.",
                   {.optional = true, .shared = true, .unlike = "prior_mean"}};
  Out y{this, "y", "[batch]; summed over a sample, in nats."};

  Broadcast<5, 2> all_;  // the inputs and y

  void infer() override {
    if (mean.shape() != log_var.shape() || mean.shape().rank() < 1)
      throw Error("`mean` is " + mean.shape().str() + " and `log_var` is " + log_var.shape().str() +
                  ", but both must be [batch, ...]");
    for (const In* in : {&prior_mean, &prior_log_var})
      if (broadcast({&mean, in}) != mean.shape())
        throw Error("`" + std::string(in->name) + "` is " + in->shape().str() +
                    ", which does not fit into `mean`, " + mean.shape().str());
    y.shape({mean.rows()});
    y.forward_only();
  }
  void prepare(Pass) override {
    all_ = {mean.shape(),
            {mean.shape(), mean.shape(), prior_mean.shape(), prior_log_var.shape(),
             reduced(mean.shape(), {}, true)}};
  }

  // to = Σ F, shaped as operand K.
  template <class F, size_t K>
  void sum(const float* of_y, float* to) const {
    all_.template sum<F, K>(
        {mean.data(), log_var.data(), values_of(prior_mean), values_of(prior_log_var), of_y}, to);
  }

  // Kingma & Welling 2013, appendix B, where the prior is the standard Gaussian.
  void forward(const Step&) override { sum<Divergence, 4>(y.data(), y.data()); }

  void backward(const Step&) override {
    if (mean.wants_grad()) sum<GradMean, 0>(y.grad(), mean.grad());
    if (log_var.wants_grad()) sum<GradLogVar, 1>(y.grad(), log_var.grad());
    if (prior_mean.wants_grad()) sum<GradPriorMean, 2>(y.grad(), prior_mean.grad());
    if (prior_log_var.wants_grad()) sum<GradPriorLogVar, 3>(y.grad(), prior_log_var.grad());
  }
};

WEFT_NODE(GaussianKl, "gaussian_kl",
          "KL divergence of a diagonal Gaussian from another, by default the standard one, summed "
          "over a sample.",
          "{mean: [4, 3, 5], log_var: [4, 3, 5], prior_mean: [4, 5], prior_log_var: [4, 3, 1]}")

}  // namespace
}  // namespace weft

#include <vector>

#include "framework/node/plugin.h"
#include "nodes/math/axes.h"
#include "nodes/math/broadcast.h"

namespace weft {
namespace {

// Functions of x, the mean m, the logarithm l of the variance, and g, the gradient of the result.
struct LogDensity {
  static constexpr float log_2_pi = 1.83787707F;
  static float of(float x, float m, float l, float) {
    return -0.5F * ((x - m) * (x - m) * simd::exp(-l) + l + log_2_pi);
  }
};
struct GradX {
  static float of(float x, float m, float l, float g) { return g * (m - x) * simd::exp(-l); }
};
struct GradMean {
  static float of(float x, float m, float l, float g) { return g * (x - m) * simd::exp(-l); }
};
struct GradLogVar {
  static float of(float x, float m, float l, float g) {
    return 0.5F * g * ((x - m) * (x - m) * simd::exp(-l) - 1);
  }
};

class GaussianLogDensity final : public Node {
  In x{this, "x", "[batch, ...]"};
  In mean{this, "mean", "Broadcast with `x`, as NumPy has it; 0 if not wired.", {.optional = true}};
  In log_var{this,
             "log_var",
             "Logarithm of the variance, broadcast likewise; 0 if not wired.",
             {.optional = true, .unlike = "mean"}};
  Out y{this, "y", "ln p in nats, the shape of all without `axes`; [batch] if all are."};
  Param<std::vector<int64_t>> axes{
      this, "axes", "Which to sum over: 1 is the first behind the batch, -1 the last; none, all.",
      std::vector<int64_t>{}};

  Broadcast<4> all_;  // x, mean, log_var and y

  Shape shape() const { return broadcast({&x, &mean, &log_var}); }

  void infer() override {
    if (x.shape().rank() == 0) throw Error("`x` is one number, [], but must be [batch, ...]");
    y.shape(reduced(shape(), *axes, false));
    y.forward_only();
  }
  void prepare(Pass) override {
    all_ = {shape(), {x.shape(), mean.shape(), log_var.shape(), reduced(shape(), *axes, true)}};
  }

  // to = Σ F, shaped as operand K.
  template <class F, size_t K>
  void sum(const float* of_y, float* to) const {
    all_.template sum<F, K>({x.data(), values_of(mean), values_of(log_var), of_y}, to);
  }

  void forward(const Step&) override { sum<LogDensity, 3>(y.data(), y.data()); }

  void backward(const Step&) override {
    if (x.wants_grad()) sum<GradX, 0>(y.grad(), x.grad());
    if (mean.wants_grad()) sum<GradMean, 1>(y.grad(), mean.grad());
    if (log_var.wants_grad()) sum<GradLogVar, 2>(y.grad(), log_var.grad());
  }
};

WEFT_NODE(GaussianLogDensity, "gaussian_log_density",
          "The logarithm of the density of diagonal Gaussians at x, by default the standard one.",
          "{x: [4, 3, 5], mean: [4, 5], log_var: [4, 1, 5], axes: -1}")

}  // namespace
}  // namespace weft

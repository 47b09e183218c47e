#include "framework/node/optimizer.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"

namespace weft {
namespace {

struct LionFactors {
  float b1, a1, b2, a2, lr, keep;
};

WEFT_SIMD void lion_step(float* __restrict w, float* __restrict m, const float* __restrict grad,
                         int64_t n, LionFactors f) {
  for (int64_t i = 0; i < n; ++i) {
    const float c = f.b1 * m[i] + f.a1 * grad[i];
    const float sign = static_cast<float>(c > 0) - static_cast<float>(c < 0);
    w[i] = f.keep * w[i] - f.lr * sign;
    m[i] = f.b2 * m[i] + f.a2 * grad[i];
  }
}

// Chen et al. 2023, "Symbolic discovery of optimization algorithms", arXiv:2302.06675, program 1.
class Lion final : public Optimizer {
  Param<double> lr{this, "lr", "Learning rate.", 1e-4, scheduled(at_least(0))};
  Param<std::vector<double>> betas{this,
                                   "betas",
                                   "How much momentum has in a step, and its decay: two numbers.",
                                   {0.9, 0.99},
                                   Check{.least = 0, .below = 1}};
  Param<double> weight_decay{this, "weight_decay", "Each update shrinks weights by lr times this.",
                             0, scheduled(at_least(0))};
  Slot exp_avg{this, "exp_avg", "Momentum: decaying mean of gradients."};

  void infer() override {
    if (betas->size() != 2)
      throw Error("`betas` has " + std::to_string(betas->size()) + " values, but must have 2");
  }

  void update(const Update& u) const override {
    const double b1 = betas->front(), b2 = betas->back();
    lion_step(u.weight, u[exp_avg], u.grad, u.size(),
              {.b1 = static_cast<float>(b1),
               .a1 = static_cast<float>(1 - b1),
               .b2 = static_cast<float>(b2),
               .a2 = static_cast<float>(1 - b2),
               .lr = static_cast<float>(*lr),
               .keep = static_cast<float>(1 - *lr * *weight_decay)});
  }
};

WEFT_NODE(Lion, "lion", "Steps of one size, by the sign of momentum.",
          "{lr: 1e-3, weight_decay: 0.1}")

}  // namespace
}  // namespace weft

// The base of adam and adamw, with the moments of the gradient: Kingma & Ba 2014, arXiv:1412.6980,
// algorithm 1. As in PyTorch, eps is added to the corrected root.
#pragma once

#include <cmath>

#include "framework/node/optimizer.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"

namespace weft {

struct AdamFactors {
  float keep, l2, b1, a1, b2, a2, lr, root, eps;
};

static WEFT_SIMD void adam_step(float* __restrict weight, float* __restrict m, float* __restrict v,
                                const float* __restrict grad, int64_t n, AdamFactors f) {
  for (int64_t i = 0; i < n; ++i) {
    const float g = grad[i] + f.l2 * weight[i];
    m[i] = f.b1 * m[i] + f.a1 * g;
    v[i] = f.b2 * v[i] + f.a2 * g * g;
    weight[i] = f.keep * weight[i] - f.lr * m[i] / (f.root * std::sqrt(v[i]) + f.eps);
  }
}

class AdamBase : public Optimizer {
 public:
  Param<double> lr{this, "lr", "Learning rate.", 1e-3, scheduled(at_least(0))};
  Param<std::vector<double>> betas{this,
                                   "betas",
                                   "Decay of the two moments: two numbers.",
                                   {0.9, 0.999},
                                   Check{.least = 0, .below = 1}};
  Param<double> eps{this, "eps", "Added to the root of the second moment.", 1e-8, at_least(0)};
  Slot exp_avg{this, "exp_avg", "First moment: decaying mean of gradients."};
  Slot exp_avg_sq{this, "exp_avg_sq", "Second moment: decaying mean of squared gradients."};

  void infer() override {
    if (betas->size() != 2)
      throw Error("`betas` has " + std::to_string(betas->size()) + " values, but must have 2");
  }

 protected:
  // Multiplies the weight by `keep`, and updates it with the gradient + `l2` · weight.
  void update_with(const Update& u, double l2, double keep) const {
    const double b1 = betas->front(), b2 = betas->back();
    const auto t = static_cast<double>(u.number);
    const double corrected_lr = *lr / (1 - std::pow(b1, t));
    const double root = 1 / std::sqrt(1 - std::pow(b2, t));
    adam_step(u.weight, u[exp_avg], u[exp_avg_sq], u.grad, u.size(),
              {.keep = static_cast<float>(keep),
               .l2 = static_cast<float>(l2),
               .b1 = static_cast<float>(b1),
               .a1 = static_cast<float>(1 - b1),
               .b2 = static_cast<float>(b2),
               .a2 = static_cast<float>(1 - b2),
               .lr = static_cast<float>(corrected_lr),
               .root = static_cast<float>(root),
               .eps = static_cast<float>(*eps)});
  }
};

}  // namespace weft

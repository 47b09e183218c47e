#include "framework/node/optimizer.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

float sign(float x) {
  return static_cast<float>(x > 0) - static_cast<float>(x < 0);
}

// Bernstein et al. 2018, "signSGD: compressed optimisation for non-convex problems",
// arXiv:1802.04434, algorithm 2.
class Signum final : public Optimizer {
  Param<double> lr{this, "lr", "Learning rate.", 1e-4, scheduled(at_least(0))};
  Param<double> weight_decay{this, "weight_decay", "Each update shrinks weights by lr times this.",
                             0, scheduled(at_least(0))};
  Slot momentum{this, "momentum", "Decaying mean of gradients."};

  void update(const Update& u) const override {
    const auto rate = static_cast<float>(*lr), decay = static_cast<float>(*weight_decay);
    float* const m = u[momentum];
    for (int64_t i = 0; i < u.size(); ++i) {
      m[i] = 0.9F * m[i] + 0.1F * u.grad[i];
      u.weight[i] -= rate * (sign(m[i]) + decay * u.weight[i]);
    }
  }
};

WEFT_NODE(Signum, "signum", "Steps of one size, by the sign of momentum.",
          "{lr: 1e-3, weight_decay: 0.1}")

}  // namespace
}  // namespace weft

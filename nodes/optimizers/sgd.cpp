#include "framework/node/optimizer.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"

namespace weft {
namespace {

WEFT_SIMD void descend(float* __restrict w, const float* __restrict grad, int64_t n, float lr,
                       float decay) {
  for (int64_t i = 0; i < n; ++i) w[i] -= lr * (grad[i] + decay * w[i]);
}

struct Momentum {
  float keep, add;               // buffer = keep · buffer + add · gradient
  float of_gradient, of_buffer;  // direction = of_gradient · gradient + of_buffer · buffer
};

WEFT_SIMD void descend(float* __restrict w, float* __restrict buffer, const float* __restrict grad,
                       int64_t n, float lr, float decay, Momentum m) {
  for (int64_t i = 0; i < n; ++i) {
    const float g = grad[i] + decay * w[i];
    buffer[i] = m.keep * buffer[i] + m.add * g;
    w[i] -= lr * (m.of_gradient * g + m.of_buffer * buffer[i]);
  }
}

// Stochastic gradient descent with momentum (Polyak 1964) or Nesterov's momentum (Sutskever et al.
// 2013, section 2). As in PyTorch, lr is outside the buffer, which starts as the first gradient,
// without dampening.
class Sgd final : public Optimizer {
  Param<double> lr{this, "lr", "Learning rate.", required, scheduled(at_least(0))};
  Param<double> momentum{this, "momentum", "How much of the last direction is kept.", 0,
                         scheduled(at_least(0))};
  Param<double> dampening{this, "dampening", "How much of a gradient momentum leaves out.", 0,
                          scheduled()};
  Param<double> weight_decay{this, "weight_decay", "L2 penalty, added to the gradient.", 0,
                             scheduled(at_least(0))};
  Param<bool> nesterov{this, "nesterov", "Look ahead along the momentum.", false};
  Slot momentum_buffer{this, "momentum_buffer", "Decaying sum of gradients."};

  void infer() override {
    if (*nesterov && (*dampening != 0 || *momentum == 0))
      throw Error("`nesterov` needs a `momentum` and no `dampening`");
  }

  void update(const Update& u) const override {
    const auto rate = static_cast<float>(*lr), decay = static_cast<float>(*weight_decay);
    if (*momentum == 0) return descend(u.weight, u.grad, u.size(), rate, decay);
    const auto mu = static_cast<float>(*momentum);
    Momentum m{mu, static_cast<float>(1 - *dampening), 0, 1};
    if (u.number == 1) m.keep = 0, m.add = 1;
    if (*nesterov) m.of_gradient = 1, m.of_buffer = mu;
    descend(u.weight, u[momentum_buffer], u.grad, u.size(), rate, decay, m);
  }
};

WEFT_NODE(Sgd, "sgd", "Stochastic gradient descent, with momentum if wanted.",
          "{lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 0.01}")

}  // namespace
}  // namespace weft

#include <algorithm>
#include <cmath>

#include "framework/node/optimizer.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"

namespace weft {
namespace {

struct RmspropFactors {
  float keep, add, of_mean;  // the averages' decay and rest; 1 if the mean is subtracted
  float momentum, lr, l2, eps;
};

WEFT_SIMD void rmsprop_step(float* __restrict w, float* __restrict square, float* __restrict mean,
                            float* __restrict buffer, const float* __restrict grad, int64_t n,
                            RmspropFactors f) {
  for (int64_t i = 0; i < n; ++i) {
    const float g = grad[i] + f.l2 * w[i];
    square[i] = f.keep * square[i] + f.add * g * g;
    mean[i] = f.keep * mean[i] + f.add * g;
    const float variance = square[i] - f.of_mean * mean[i] * mean[i];
    const float root = std::sqrt(variance > 0 ? variance : 0.0F);
    buffer[i] = f.momentum * buffer[i] + g / (root + f.eps);
    w[i] -= f.lr * buffer[i];
  }
}

// Tieleman & Hinton 2012, "Lecture 6.5: RMSProp"; centred and with momentum as Graves 2013,
// arXiv:1308.0850, eqs. 38 to 45. As in PyTorch, eps is added to the root.
class Rmsprop final : public Optimizer {
  Param<double> lr{this, "lr", "Learning rate.", 1e-2, scheduled(at_least(0))};
  Param<double> alpha{this, "alpha", "Decay of the moments.", 0.99, Check{.least = 0, .below = 1}};
  Param<double> eps{this, "eps", "Added to the root of the second moment.", 1e-8, at_least(0)};
  Param<double> momentum{this, "momentum", "How much of the last direction is kept.", 0,
                         scheduled(at_least(0))};
  Param<bool> centered{this, "centered", "Divide by the deviation of gradients, not their size.",
                       false};
  Param<double> weight_decay{this, "weight_decay", "L2 penalty, added to the gradient.", 0,
                             scheduled(at_least(0))};
  Slot square_avg{this, "square_avg", "Decaying mean of squared gradients."};
  Slot grad_avg{this, "grad_avg", "Decaying mean of gradients."};
  Slot momentum_buffer{this, "momentum_buffer", "Decaying sum of directions."};

  void update(const Update& u) const override {
    rmsprop_step(u.weight, u[square_avg], u[grad_avg], u[momentum_buffer], u.grad, u.size(),
                 {.keep = static_cast<float>(*alpha),
                  .add = static_cast<float>(1 - *alpha),
                  .of_mean = *centered ? 1.0F : 0.0F,
                  .momentum = static_cast<float>(*momentum),
                  .lr = static_cast<float>(*lr),
                  .l2 = static_cast<float>(*weight_decay),
                  .eps = static_cast<float>(*eps)});
  }
};

WEFT_NODE(Rmsprop, "rmsprop", "Divides each gradient by a running mean of its size.",
          "{lr: 1e-3, momentum: 0.9, centered: true, weight_decay: 0.01}")

}  // namespace
}  // namespace weft

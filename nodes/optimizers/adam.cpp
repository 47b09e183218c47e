#include "nodes/optimizers/adam.h"

namespace weft {
namespace {

class Adam final : public AdamBase {
  Param<double> weight_decay{this, "weight_decay", "L2 penalty, added to the gradient.", 0,
                             scheduled(at_least(0))};

  void update(const Update& u) const override { update_with(u, *weight_decay, 1); }
};

WEFT_NODE(Adam, "adam", "Adam: each weight has its own rate, from two moments of its gradient.",
          "{lr: 1e-3, betas: [0.9, 0.999]}")

}  // namespace
}  // namespace weft

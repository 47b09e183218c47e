#include "nodes/optimizers/adam.h"

namespace weft {
namespace {

// AdamW: Loshchilov & Hutter 2017, "Decoupled weight decay regularization", arXiv:1711.05101,
// algorithm 2.
class AdamW final : public AdamBase {
  Param<double> weight_decay{this, "weight_decay", "Each update shrinks weights by lr times this.",
                             0.01, scheduled(at_least(0))};

  void update(const Update& u) const override { update_with(u, 0, 1 - *lr * *weight_decay); }
};

WEFT_NODE(AdamW, "adamw", "Adam with weight decay apart from the gradient.",
          "{lr: 1e-3, weight_decay: 0.05}")

}  // namespace
}  // namespace weft

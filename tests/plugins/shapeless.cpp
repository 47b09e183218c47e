// Nodes that forget a shape in infer().
#include "framework/node/plugin.h"

namespace weft {
namespace {

class NoOutputShape final : public Node {
  In x{this, "x", "Any shape."};
  Out y{this, "y", "Never shaped."};
  void infer() override {}
  void forward(const Step&) override {}
};

class NoStateShape final : public Node {
  In x{this, "x", "Any shape."};
  Out y{this, "y", "Shaped as `x`."};
  State mean{this, "mean", "Never shaped."};
  void infer() override { y.shape(x.shape()); }
  void forward(const Step&) override {}
};

WEFT_NODE(NoOutputShape, "no_output_shape", "Forgets it.", "{x: [2]}")
WEFT_NODE(NoStateShape, "no_state_shape", "Forgets it.", "{x: [2]}")

}  // namespace
}  // namespace weft

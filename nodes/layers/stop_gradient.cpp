#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class StopGradient final : public Node {
  In x{this, "x", "Any shape.", {.grad = false}};
  Out y{this, "y", "Equal to `x`."};

  void infer() override { y.shape(x.shape()); }
  void forward(const Step&) override { std::copy_n(x.data(), x.size(), y.data()); }
};

WEFT_NODE(StopGradient, "stop_gradient", "Passes values on, but no gradient back.", "{x: [4, 3]}")

}  // namespace
}  // namespace weft

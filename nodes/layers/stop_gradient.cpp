#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class StopGradient final : public Node {
  In x{this, "x", "Any shape.", {.any = true, .grad = false}};
  Out y{this, "y", "Equal to `x`.", x};

  void infer() override { y.shape(x.shape()); }
  void forward(const Step&) override { std::copy_n(x.words(), x.size(), y.words()); }
};

WEFT_NODE(StopGradient, "stop_gradient", "Passes values on, but no gradient back.", "{x: [4, 3]}")

}  // namespace
}  // namespace weft

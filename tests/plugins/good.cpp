// A plugin without fault: one node.
#include <algorithm>

#include "framework/node/plugin.h"

namespace weft {
namespace {

class Copy final : public Node {
  In x{this, "x", "Any shape."};
  Out y{this, "y", "As x."};
  void infer() override { y.shape(x.shape()); }
  void forward(const Step&) override { std::copy_n(x.data(), x.size(), y.data()); }
};

WEFT_NODE(Copy, "good", "Copies x.", "{x: [2, 3]}")

}  // namespace
}  // namespace weft

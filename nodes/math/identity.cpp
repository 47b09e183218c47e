#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Identity final : public Node {
  Out y{this, "y", "[1, n, n], which all samples share: 1 on the diagonal, 0 elsewhere."};
  Param<int64_t> n{this, "n", "Rows and columns.", required, within(1, 1 << 14)};

  void infer() override {
    y.share();
    y.shape({1, *n, *n});
  }
  void forward(const Step&) override {
    std::fill_n(y.data(), y.size(), 0.0F);
    for (int64_t i = 0; i < *n; ++i) y.data()[i * (*n + 1)] = 1;
  }
};

WEFT_NODE(Identity, "identity", "The identity matrix.", "{n: 3}")

}  // namespace
}  // namespace weft

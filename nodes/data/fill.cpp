#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Fill final : public Node {
  In like{this, "like", "Gives the shape; its values are not read.", {.grad = false}};
  Out y{this, "y", "Shaped as `like`."};
  Param<double> value{this, "value", "Of every element.", required, scheduled()};

  void infer() override { y.shape(like.shape()); }
  void forward(const Step&) override {
    std::fill_n(y.data(), y.size(), static_cast<float>(*value));
  }
};

WEFT_NODE(Fill, "fill", "One number everywhere.", "{like: [4, 3], value: 0.9}")

}  // namespace
}  // namespace weft

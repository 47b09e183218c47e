#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Normal final : public Node {
  Out y{this, "y", "Independent numbers of mean 0 and variance 1."};
  Param<std::vector<int64_t>> shape{this, "shape", "[rows, ...]", required, at_least(1)};

  void infer() override {
    if (shape->empty()) throw Error("`shape` is [], but must be [rows, ...]");
    y.shape(Shape(*shape));
  }

  void forward(const Step& step) override {
    for (int64_t row = 0; row < y.rows(); ++row)
      random(step, row).normal({y.data() + row * y.row_size(), size_t(y.row_size())});
  }
};

WEFT_NODE(Normal, "normal", "Standard normal noise.", "{shape: [4, 3, 5]}")

}  // namespace
}  // namespace weft

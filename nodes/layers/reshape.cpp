#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Reshape final : public Node {
  In x{this, "x", "Any shape with a batch axis.", {.any = true}};
  Out y{this, "y", "[batch, *shape]; the same numbers in the same order.", x};
  Param<std::vector<int64_t>> shape{this, "shape",
                                    "Of one sample; one axis may be -1 and takes what is left.",
                                    required, at_least(-1)};

  Twice twice() const override { return Twice::linear; }
  void infer() override {
    const auto refuse = [&](const std::string& why) {
      throw Error("`x` is " + x.shape().str() + ", which cannot be reshaped: " + why);
    };
    if (x.shape().rank() < 1) refuse("it has no batch axis");
    if (shape->size() >= Shape::max_rank) refuse("a sample has at most 7 axes");
    std::vector<int64_t> dims{x.rows()};
    dims.insert(dims.end(), shape->begin(), shape->end());
    const auto open = std::find(dims.begin() + 1, dims.end(), -1);
    if (open != dims.end()) {
      if (std::find(open + 1, dims.end(), -1) != dims.end()) refuse("only one axis may be -1");
      *open = 1;
      const int64_t rest = Shape(dims).row_elements();
      *open = rest ? x.row_size() / rest : 0;
    }
    const Shape result{std::span<const int64_t>(dims)};
    if (result.row_elements() != x.row_size())
      refuse("a sample has " + std::to_string(x.row_size()) + " elements, but " +
             result.without_front().str() + " has " + std::to_string(result.row_elements()));
    y.shape(result);
    x.forward_only(), y.forward_only();
  }

  void forward(const Step&) override { std::copy_n(x.words(), x.size(), y.words()); }
  void backward(const Step&) override {
    if (x.wants_grad()) std::copy_n(y.grad(), x.size(), x.grad());
  }
};

WEFT_NODE(Reshape, "reshape", "Gives each sample another shape.", "{x: [4, 3, 4], shape: [2, -1]}")

}  // namespace
}  // namespace weft

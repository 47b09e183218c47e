#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Argmax final : public Node {
  In x{this, "x", "A score for each class, [batch, ..., classes].", {.grad = false}};
  Out y{this, "y", "The class with the highest, the first of equals, [batch, ...].", DType::i32};

  int64_t classes() const { return x.shape().back(); }

  void infer() override {
    if (x.shape().rank() < 2 || classes() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, ..., classes]");
    y.shape(Shape(x.shape().dims().first(x.shape().rank() - 1)));
  }

  void forward(const Step&) override {
    for (int64_t i = 0; i < y.size(); ++i) {
      const float* row = x.data() + i * classes();
      y.ints()[i] = static_cast<int32_t>(std::max_element(row, row + classes()) - row);
    }
  }
};

WEFT_NODE(Argmax, "argmax", "The class with the highest score.", "{x: [4, 3, 5]}")

}  // namespace
}  // namespace weft

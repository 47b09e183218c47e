#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Confusion final : public Node {
  In x{this, "x", "A score for each class, [batch, c].", {.grad = false}};
  In label{this,
           "label",
           "The right class, [batch]; outside [0, c) the sample is nowhere.",
           {.dtype = DType::i32, .grad = false}};
  Out y{this, "y",
        "[batch, c, c]: 1 where the row is the right class and the column the best one (the first "
        "of equals), else 0. Its mean, which `evaluate` reports row after row, is the confusion "
        "matrix as shares of the set."};

  int64_t c() const { return x.shape()[1]; }

  void infer() override {
    if (x.shape().rank() != 2 || c() == 0 || label.shape() != Shape{x.rows()})
      throw Error("`x` is " + x.shape().str() + " and `label` is " + label.shape().str() +
                  ", but must be [batch, c] and [batch]");
    y.shape({x.rows(), c(), c()});
  }

  void forward(const Step&) override {
    std::fill_n(y.data(), y.size(), 0.0F);
    for (int64_t row = 0; row < x.rows(); ++row) {
      const float* scores = x.data() + row * c();
      const int64_t right = label.ints()[row],
                    best = std::max_element(scores, scores + c()) - scores;
      if (right >= 0 && right < c()) y.data()[(row * c() + right) * c() + best] = 1;
    }
  }
};

WEFT_NODE(Confusion, "confusion", "Which class is taken for which.",
          "{x: [4, 3], label: {shape: [4], below: 3}}")

}  // namespace
}  // namespace weft

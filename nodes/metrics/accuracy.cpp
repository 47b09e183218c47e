#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Accuracy final : public Node {
  In x{this, "x", "A score for each class, [batch, ..., c].", {.grad = false}};
  In label{this,
           "label",
           "The right class, [batch, ...]; -1 is left out, others outside [0, c) are never hit.",
           {.dtype = DType::i32, .grad = false}};
  Out y{this, "y", "The share of a sample's labels that are among the best `top`, [batch]."};
  Param<int64_t> top{this, "top", "How many of the best scores count.", 1, at_least(1)};

  void infer() override {
    if (x.shape().rank() < 2)
      throw Error("x is " + x.shape().str() + ", but must have a row of scores for each sample");
    const Shape want(x.shape().dims().first(x.shape().rank() - 1));
    if (label.shape() != want)
      throw Error("x is " + x.shape().str() + ", so label must be " + want.str() + ", but it is " +
                  label.shape().str());
    if (*top > x.shape().back())
      throw Error("`top` is " + std::to_string(*top) + ", but x has " +
                  std::to_string(x.shape().back()) + " classes");
    y.shape({x.rows()});
  }

  void forward(const Step&) override {
    const int64_t c = x.shape().back();
    for (int64_t row = 0; row < y.rows(); ++row) {
      int64_t hits = 0, asked = 0;
      for (int64_t i = row * label.row_size(); i < (row + 1) * label.row_size(); ++i)
        hits += hit(x.data() + i * c, c, label.ints()[i]), asked += label.ints()[i] != -1;
      y.data()[row] = static_cast<float>(hits) / static_cast<float>(std::max<int64_t>(asked, 1));
    }
  }

  // Does the right class have the best score? Of equal scores the first class wins; NaN as the
  // right class's score is no hit.
  bool hit(const float* scores, int64_t c, int64_t right) const {
    if (right < 0 || right >= c) return false;
    const float score = scores[right];
    int64_t better = 0;
    for (int64_t k = 0; k < c; ++k)
      better += !(scores[k] <= score) || (k < right && scores[k] == score);
    return better < *top && score == score;
  }
};

WEFT_NODE(Accuracy, "accuracy", "The share of right classes that have a top score.",
          "{x: [4, 10], label: {shape: [4], below: 10}, top: 3}")

}  // namespace
}  // namespace weft

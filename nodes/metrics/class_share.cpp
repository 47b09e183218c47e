#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class ClassShare final : public Node {
  In x{this, "x", "A score for each class, [..., c].", {.grad = false}};
  Out y{this, "y", "1 at the best class (the first of equals), else 0, [..., c]."};

  void infer() override {
    if (x.shape().rank() < 2 || x.shape().back() == 0)
      throw Error("x is " + x.shape().str() + ", but must have a row of scores for each sample");
    y.shape(x.shape());
  }

  void forward(const Step&) override {
    const int64_t c = x.shape().back();
    std::fill_n(y.data(), y.size(), 0.0F);
    for (int64_t at = 0; at < x.size(); at += c) {
      const float* scores = x.data() + at;
      y.data()[at + (std::max_element(scores, scores + c) - scores)] = 1;
    }
  }
};

WEFT_NODE(ClassShare, "class_share",
          "One-hot of the best class: its mean over samples is the share of each class.",
          "{x: [4, 10]}")

}  // namespace
}  // namespace weft

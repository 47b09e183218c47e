#include <algorithm>

#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Expand final : public Node {
  In x{this, "x", "[1, ...], which all samples share.", {.shared = true}};
  In like{this,
          "like",
          "[batch, ...]; gives the batch, its values are not read.",
          {.any = true, .grad = false}};
  Out y{this, "y", "[batch, ...]: a copy for each sample."};

  Twice twice() const override { return Twice::linear; }
  void infer() override {
    if (x.rows() != 1 && x.rows() != like.rows())
      throw Error("`x` is " + x.shape().str() + ", but must be [1, ...]");
    y.shape(x.shape().rank() == 0 ? Shape{like.rows()} : x.shape().with_front(like.rows()));
    x.forward_only(), like.forward_only(), y.forward_only();
  }

  void forward(const Step&) override {
    const int64_t n = y.row_size(), from = x.rows() == 1 ? 0 : n;
    for (int64_t row = 0; row < y.rows(); ++row)
      std::copy_n(x.data() + row * from, n, y.data() + row * n);
  }
  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    const int64_t n = y.row_size();
    if (x.rows() == 1)
      sum_rows(y.grad(), y.rows(), n, n, x.grad());
    else
      std::copy_n(y.grad(), y.size(), x.grad());
  }
};

WEFT_NODE(Expand, "expand", "A copy for each sample of what all samples share.",
          "{x: [1, 3, 2], like: [4, 5]}")

}  // namespace
}  // namespace weft

#include <algorithm>

#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

// Learned positions, as in Gehring et al. 2017, arXiv:1705.03122, section 3.1, and in Vaswani et
// al. 2017, arXiv:1706.03762, section 3.5.
class Positions final : public Node {
  In x{this, "x", "Sequences, [batch, t, d]."};
  Out y{this, "y", "Shaped as `x`."};
  Param<double> deviation{this, "deviation", "Of the weights at the start.", 0.02, at_least(0)};
  Weight weight{this, "weight", "[t, d]"};

  void infer() override {
    if (x.shape().rank() != 3)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, t, d]");
    y.shape(x.shape());
    x.forward_only(), y.forward_only();
    weight.shape(x.shape().without_front(), Init::normal(*deviation));
  }

  void forward(const Step&) override {
    std::copy_n(x.data(), x.size(), y.data());
    for (int64_t i = 0; i < y.rows(); ++i)
      add_scaled(weight.data(), 1, y.data() + i * y.row_size(), y.row_size());
  }

  void backward(const Step&) override {
    if (x.wants_grad()) std::copy_n(y.grad(), y.size(), x.grad());
  }

  void learn(const Step&) override {
    const Range block = weight.block();
    const int64_t d = y.shape().back();
    sum_rows(y.grad() + block.begin * d, y.rows(), y.row_size(), block.size() * d, weight.grad());
  }
};

WEFT_NODE(Positions, "positions", "Adds a learned row to each position of a sequence.",
          "{x: [4, 3, 5]}")

}  // namespace
}  // namespace weft

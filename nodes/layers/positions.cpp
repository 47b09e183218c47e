#include <algorithm>
#include <cmath>

#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

// Learned positions, as in Gehring et al. 2017, arXiv:1705.03122, section 3.1, and in Vaswani et
// al. 2017, arXiv:1706.03762, section 3.5.
class Positions final : public Node {
  In x{this, "x", "Sequences, [batch, t, d]."};
  In at{this,
        "at",
        "The position of a sample's first token, [batch], such as the turn of a loop; 0 if it is "
        "not wired.",
        {.grad = false, .optional = true}};
  Out y{this, "y", "Shaped as `x`."};
  Param<int64_t> length{this, "length", "How many positions there are; 0: those of `x`.", 0,
                        within(0, 1 << 20)};
  Param<double> deviation{this, "deviation", "Of the weights at the start.", 0.02, at_least(0)};
  Weight weight{this, "weight", "[length, d]"};

  int64_t t() const { return x.shape()[1]; }
  int64_t d() const { return x.shape().back(); }
  int64_t count() const { return *length > 0 ? *length : t(); }

  void infer() override {
    if (x.shape().rank() != 3)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, t, d]");
    if (at.wired() && at.shape() != Shape{x.rows()})
      throw Error("`at` is " + at.shape().str() + ", but must be [batch]");
    if (t() > count())
      throw Error("`x` is " + x.shape().str() + ", but there are " + std::to_string(count()) +
                  " positions");
    y.shape(x.shape());
    x.forward_only(), y.forward_only();
    weight.shape({count(), d()}, Init::normal(*deviation));
  }

  int64_t first(int64_t row) const { return at.wired() ? std::llrint(at.data()[row]) : 0; }

  void forward(const Step& step) override {
    std::copy_n(x.data(), x.size(), y.data());
    for (int64_t i = 0, n = std::min(y.rows(), step.rows - first_row()); i < n; ++i) {
      const int64_t begin = first(i);
      if (begin < 0 || begin > count() - t())
        throw Error(Exit::data, "position " + std::to_string(begin + t() - 1) + " is none of the " +
                                    std::to_string(count()) + " that there are");
      add_scaled(weight.data() + begin * d(), 1, y.data() + i * y.row_size(), y.row_size());
    }
  }

  void backward(const Step&) override {
    if (x.wants_grad()) std::copy_n(y.grad(), y.size(), x.grad());
  }

  void learn(const Step&) override {
    const Range block = weight.block();
    std::fill_n(weight.grad(), block.size() * d(), 0.0F);
    for (int64_t i = 0; i < y.rows(); ++i) {
      const int64_t begin = std::max(block.begin, first(i)),
                    end = std::min(block.end, first(i) + t());
      if (begin < end)
        add_scaled(y.grad() + i * y.row_size() + (begin - first(i)) * d(), 1,
                   weight.grad() + (begin - block.begin) * d(), (end - begin) * d());
    }
  }
};

WEFT_NODE(Positions, "positions", "Adds a learned row to each position of a sequence.",
          "{x: [4, 3, 5], at: {shape: [4], above: 1}, length: 7}")

}  // namespace
}  // namespace weft

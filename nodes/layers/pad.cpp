#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "nodes/layers/runs.h"
#include "nodes/math/axes.h"

namespace weft {
namespace {

class Pad final : public Node {
  In x{this, "x", "[batch, ...]", {.any = true}};
  Out y{this, "y", "As `x`, with zeros at the ends of one axis.", x};
  Param<int64_t> axis{this, "axis", "Which axis: 1 is the first behind the batch, -1 the last.", 1,
                      within(-1, Shape::max_rank - 1)};
  Param<int64_t> before{this, "before", "Zeros before the first position.", 0, at_least(0)};
  Param<int64_t> after{this, "after", "Zeros behind the last.", 0, at_least(0)};

  size_t longer_ = 0;  // the axis

  Twice twice() const override { return Twice::linear; }
  void infer() override {
    longer_ = chosen_axes(x.shape(), {*axis}).front();
    y.shape(x.shape().with(longer_, x.shape()[longer_] + *before + *after));
    x.forward_only(), y.forward_only();
  }

  template <class F>
  void move(F f) const {
    each_run(longer_, x.shape()[longer_], x.shape(), 0, y.shape(), *before, f);
  }

  void forward(const Step&) override {
    std::fill_n(y.words(), y.size(), 0.0F);
    move([&](int64_t from, int64_t to, int64_t n) {
      std::copy_n(x.words() + from, n, y.words() + to);
    });
  }

  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    move([&](int64_t to, int64_t from, int64_t n) {
      std::copy_n(y.grad() + from, n, x.grad() + to);
    });
  }
};

WEFT_NODE(Pad, "pad", "Zeros at the ends of one axis: before it alone, a convolution is causal.",
          "{x: [4, 5, 3], axis: 1, before: 2, after: 1}")

}  // namespace
}  // namespace weft

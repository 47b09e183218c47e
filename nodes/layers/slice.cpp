#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "nodes/layers/runs.h"
#include "nodes/math/axes.h"

namespace weft {
namespace {

class Slice final : public Node {
  In x{this, "x", "[batch, ...]", {.any = true}};
  Out y{this, "y", "The positions [begin, end) of one axis; the axis stays.", x};
  Param<int64_t> axis{this, "axis", "Which axis: 1 is the first behind the batch, -1 the last.", -1,
                      within(-1, Shape::max_rank - 1)};
  Param<int64_t> begin{this, "begin", "The first position; below 0 counts from the end.", 0};
  Param<int64_t> end{this, "end", "Behind the last position; 0 is the end of the axis.", 0};

  size_t cut_ = 0;  // the axis

  int64_t extent() const { return x.shape()[cut_]; }
  int64_t first() const { return *begin < 0 ? extent() + *begin : *begin; }
  int64_t last() const { return *end <= 0 ? extent() + *end : *end; }

  Twice twice() const override { return Twice::linear; }
  void infer() override {
    cut_ = chosen_axes(x.shape(), {*axis}).front();
    if (first() < 0 || last() > extent() || first() >= last())
      throw Error("the positions " + std::to_string(first()) + " to " + std::to_string(last()) +
                  " are none of the " + std::to_string(extent()) + " of axis " +
                  std::to_string(cut_) + " of " + x.shape().str());
    y.shape(x.shape().with(cut_, last() - first()));
    x.forward_only(), y.forward_only();
  }

  template <class F>
  void move(F f) const {
    each_run(cut_, last() - first(), x.shape(), first(), y.shape(), 0, f);
  }

  void forward(const Step&) override {
    move([&](int64_t from, int64_t to, int64_t n) {
      std::copy_n(x.words() + from, n, y.words() + to);
    });
  }

  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    std::fill_n(x.grad(), x.size(), 0.0F);
    move([&](int64_t to, int64_t from, int64_t n) {
      std::copy_n(y.grad() + from, n, x.grad() + to);
    });
  }
};

WEFT_NODE(Slice, "slice", "Some positions of one axis.",
          "{x: [4, 5, 3], axis: 1, begin: 1, end: -1}")

}  // namespace
}  // namespace weft

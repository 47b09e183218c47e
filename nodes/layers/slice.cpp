#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Slice final : public Node {
  In x{this, "x", "[batch, ...]", {.any = true}};
  Out y{this, "y", "The positions [begin, end) of one axis; the axis stays.", x};
  Param<int64_t> axis{this, "axis", "Which axis: 1 is the first behind the batch, -1 the last.", -1,
                      within(-1, Shape::max_rank - 1)};
  Param<int64_t> begin{this, "begin", "The first position; below 0 counts from the end.", 0};
  Param<int64_t> end{this, "end", "Behind the last position; 0 is the end of the axis.", 0};

  size_t cut() const { return *axis < 0 ? x.shape().rank() - 1 : static_cast<size_t>(*axis); }
  int64_t extent() const { return x.shape()[cut()]; }
  int64_t first() const { return *begin < 0 ? extent() + *begin : *begin; }
  int64_t last() const { return *end <= 0 ? extent() + *end : *end; }

  Twice twice() const override { return Twice::linear; }
  void infer() override {
    if (x.shape().rank() < 2 || cut() == 0 || cut() >= x.shape().rank())
      throw Error("`x` is " + x.shape().str() + ", which has no axis " + std::to_string(*axis) +
                  " beside the batch");
    if (first() < 0 || last() > extent() || first() >= last())
      throw Error("the positions " + std::to_string(first()) + " to " + std::to_string(last()) +
                  " are none of the " + std::to_string(extent()) + " of axis " +
                  std::to_string(cut()) + " of " + x.shape().str());
    std::vector<int64_t> dims(x.shape().dims().begin(), x.shape().dims().end());
    dims[cut()] = last() - first();
    y.shape(Shape(dims));
    x.forward_only(), y.forward_only();
  }

  // Calls f(offset in x, offset in y, length) for each run of numbers that stay together.
  template <class F>
  void each_run(F f) const {
    int64_t runs = 1, width = 1;
    for (size_t a = 0; a < cut(); ++a) runs *= x.shape()[a];
    for (size_t a = cut() + 1; a < x.shape().rank(); ++a) width *= x.shape()[a];
    const int64_t n = (last() - first()) * width;
    for (int64_t run = 0; run < runs; ++run)
      f(run * extent() * width + first() * width, run * n, n);
  }

  void forward(const Step&) override {
    each_run([&](int64_t from, int64_t to, int64_t n) {
      std::copy_n(x.words() + from, n, y.words() + to);
    });
  }

  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    std::fill_n(x.grad(), x.size(), 0.0F);
    each_run([&](int64_t to, int64_t from, int64_t n) {
      std::copy_n(y.grad() + from, n, x.grad() + to);
    });
  }
};

WEFT_NODE(Slice, "slice", "Some positions of one axis.",
          "{x: [4, 5, 3], axis: 1, begin: 1, end: -1}")

}  // namespace
}  // namespace weft

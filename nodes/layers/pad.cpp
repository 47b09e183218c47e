#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Pad final : public Node {
  In x{this, "x", "[batch, ...]", {.any = true}};
  Out y{this, "y", "As `x`, with zeros at the ends of one axis.", x};
  Param<int64_t> axis{this, "axis", "Which axis: 1 is the first behind the batch, -1 the last.", 1,
                      within(-1, Shape::max_rank - 1)};
  Param<int64_t> before{this, "before", "Zeros before the first position.", 0, at_least(0)};
  Param<int64_t> after{this, "after", "Zeros behind the last.", 0, at_least(0)};

  size_t longer() const { return *axis < 0 ? x.shape().rank() - 1 : static_cast<size_t>(*axis); }
  int64_t extent() const { return x.shape()[longer()]; }

  Twice twice() const override { return Twice::linear; }
  void infer() override {
    if (x.shape().rank() < 2 || longer() == 0 || longer() >= x.shape().rank())
      throw Error("`x` is " + x.shape().str() + ", which has no axis " + std::to_string(*axis) +
                  " beside the batch");
    std::vector<int64_t> dims(x.shape().dims().begin(), x.shape().dims().end());
    dims[longer()] += *before + *after;
    y.shape(Shape(dims));
    x.forward_only(), y.forward_only();
  }

  // Calls f(offset in x, offset in y, length) for each run of numbers that stay together.
  template <class F>
  void each_run(F f) const {
    int64_t runs = 1, width = 1;
    for (size_t a = 0; a < longer(); ++a) runs *= x.shape()[a];
    for (size_t a = longer() + 1; a < x.shape().rank(); ++a) width *= x.shape()[a];
    const int64_t n = extent() * width, all = n + (*before + *after) * width;
    for (int64_t run = 0; run < runs; ++run) f(run * n, run * all + *before * width, n);
  }

  void forward(const Step&) override {
    std::fill_n(y.words(), y.size(), 0.0F);
    each_run([&](int64_t from, int64_t to, int64_t n) {
      std::copy_n(x.words() + from, n, y.words() + to);
    });
  }

  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    each_run([&](int64_t to, int64_t from, int64_t n) {
      std::copy_n(y.grad() + from, n, x.grad() + to);
    });
  }
};

WEFT_NODE(Pad, "pad", "Zeros at the ends of one axis: before it alone, a convolution is causal.",
          "{x: [4, 5, 3], axis: 1, before: 2, after: 1}")

}  // namespace
}  // namespace weft

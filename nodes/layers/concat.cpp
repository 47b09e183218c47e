#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Concat final : public Node {
  Ins xs{this, "xs", "Tensors that differ in `axis` only.", {.any = true}};
  Out y{this, "y", "Joined along `axis`.", xs};
  Param<int64_t> axis{this, "axis",
                      "Where to join: axis 1 is the first behind the batch, -1 the last.", -1,
                      within(-1, Shape::max_rank - 1)};

  size_t joined() const {
    return *axis < 0 ? xs[0].shape().rank() - 1 : static_cast<size_t>(*axis);
  }

  Twice twice() const override { return Twice::linear; }
  void infer() override {
    const Shape& first = xs[0].shape();
    if (*axis == 0) throw Error("`axis` is 0, the batch: samples cannot be joined");
    if (first.rank() < 2 || joined() >= first.rank())
      throw Error("`xs` starts with " + first.str() + ", which has no axis " +
                  std::to_string(*axis) + " beside the batch");
    std::vector<int64_t> dims(first.dims().begin(), first.dims().end());
    for (size_t i = 1; i < xs.size(); ++i) {
      const Shape& next = xs[i].shape();
      if (xs[i].dtype() != xs[0].dtype())
        throw Error("`xs` has numbers of f32 and of i32: `to_float` makes f32 of i32");
      bool fits = next.rank() == first.rank();
      for (size_t a = 0; fits && a < first.rank(); ++a) fits = a == joined() || next[a] == first[a];
      if (!fits)
        throw Error("`xs` has " + first.str() + " and " + next.str() +
                    ", which differ outside axis " + std::to_string(joined()) +
                    (next.rank() == first.rank()
                         ? ""
                         : "; features of whole images go together with maps that are pooled "
                           "(`global_avg_pool`) or made flat (`reshape` to [-1]) first"));
      dims[joined()] += next[joined()];
    }
    y.shape(Shape(dims));
    xs.forward_only(), y.forward_only();
  }

  // Calls f(port, length of a run, offset of the run in the port, offset in y) for each run of
  // numbers that stay together.
  template <class F>
  void each_run(F f) const {
    int64_t runs = 1, width = 1;
    for (size_t a = 0; a < joined(); ++a) runs *= y.shape()[a];
    for (size_t a = joined(); a < y.shape().rank(); ++a) width *= y.shape()[a];
    int64_t begin = 0;
    for (const auto& x : xs) {
      const int64_t size =
          x->shape()[joined()] * (width / std::max<int64_t>(y.shape()[joined()], 1));
      for (int64_t run = 0; run < runs; ++run) f(*x, size, run * size, run * width + begin);
      begin += size;
    }
  }

  void forward(const Step&) override {
    each_run([&](const In& x, int64_t size, int64_t from, int64_t to) {
      std::copy_n(x.words() + from, size, y.words() + to);
    });
  }

  void backward(const Step&) override {
    each_run([&](const In& x, int64_t size, int64_t to, int64_t from) {
      if (x.wants_grad()) std::copy_n(y.grad() + from, size, x.grad() + to);
    });
  }
};

WEFT_NODE(Concat, "concat", "Joins tensors along an axis.",
          "{xs: [[4, 2, 3], [4, 1, 3], [4, 3, 3]], axis: 1}")

}  // namespace
}  // namespace weft

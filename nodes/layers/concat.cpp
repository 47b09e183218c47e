#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "nodes/layers/runs.h"

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
    int64_t extent = first[joined()];
    for (size_t i = 1; i < xs.size(); ++i) {
      const Shape& next = xs[i].shape();
      if (xs[i].dtype() != xs[0].dtype())
        throw Error("`xs` has numbers of f32 and of i32: `to_float` makes f32 of i32");
      if (next.rank() != first.rank() || next.with(joined(), first[joined()]) != first)
        throw Error(
            "`xs` has " + first.str() + " and " + next.str() + ", which differ outside axis " +
            std::to_string(joined()) +
            (next.rank() == first.rank()
                 ? ""
                 : "; `reshape` gives them the same axes: to [1] one number of each sample, "
                   "to [-1] a map, which `global_avg_pool` would make features of"));
      extent += next[joined()];
    }
    y.shape(first.with(joined(), extent));
    xs.forward_only(), y.forward_only();
  }

  // Calls f(port, offset in the port, offset in y, length) for each run of numbers.
  template <class F>
  void move(F f) const {
    int64_t begin = 0;
    for (const auto& x : xs) {
      const int64_t n = x->shape()[joined()];
      each_run(joined(), n, x->shape(), 0, y.shape(), begin,
               [&](int64_t own, int64_t all, int64_t size) { f(*x, own, all, size); });
      begin += n;
    }
  }

  void forward(const Step&) override {
    move([&](const In& x, int64_t from, int64_t to, int64_t n) {
      std::copy_n(x.words() + from, n, y.words() + to);
    });
  }

  void backward(const Step&) override {
    move([&](const In& x, int64_t to, int64_t from, int64_t n) {
      if (x.wants_grad()) std::copy_n(y.grad() + from, n, x.grad() + to);
    });
  }
};

WEFT_NODE(Concat, "concat", "Joins tensors along an axis.",
          "{xs: [[4, 2, 3], [4, 1, 3], [4, 3, 3]], axis: 1}")

}  // namespace
}  // namespace weft

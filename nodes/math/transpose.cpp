#include "nodes/math/axes.h"
#include "nodes/math/rearranged.h"

namespace weft {
namespace {

// The strides of a contiguous tensor.
std::vector<int64_t> strides_of(const Shape& shape) {
  std::vector<int64_t> strides(shape.rank(), 1);
  for (size_t axis = shape.rank(); axis-- > 1;) strides[axis - 1] = strides[axis] * shape[axis];
  return strides;
}

class Transpose final : public Rearranged {
  Param<std::vector<int64_t>> axes{
      this, "axes",
      "All axes of `x` but the batch, in their new order: [2, 1] swaps those of a matrix; -1 is "
      "the last. None: reversed.",
      std::vector<int64_t>{}};

 public:
  Transpose() : Rearranged("[batch, ...]", "The axes of `x` in another order.") {}

 private:
  std::vector<size_t> taken() const {  // the axis of x that each of y is
    std::vector<size_t> all = chosen_axes(x.shape(), *axes);
    if (axes->empty())
      for (size_t axis = x.shape().rank(); axis-- > 1;) all.push_back(axis);
    all.insert(all.begin(), 0);
    return all;
  }

  void infer() override {
    const Shape& from = x.shape();
    if (from.rank() == 0) throw Error("`x` is one number, [], but must be [batch, ...]");
    if (taken().size() != from.rank())
      throw Error("`x` is " + from.str() + ", so `axes` must name " +
                  std::to_string(from.rank() - 1) + ", not " + std::to_string(axes->size()));
    std::vector<int64_t> dims;
    for (const size_t axis : taken()) dims.push_back(from[axis]);
    shape(Shape(dims));
  }

  Order order() const override {
    const std::vector<int64_t> strides = strides_of(x.shape());
    std::vector<Walk<1>::Axis> walk;
    for (const size_t axis : taken()) walk.push_back({x.shape()[axis], {strides[axis]}});
    return {Walk<1>(walk)};
  }
};

class Flip final : public Rearranged {
  Param<std::vector<int64_t>> axes{
      this, "axes", "Which to reverse: 1 is the first behind the batch, -1 the last.", required};

 public:
  Flip() : Rearranged("[batch, ...]", "Shaped as `x`, with the positions on `axes` reversed.") {}

 private:
  void infer() override {
    (void)chosen_axes(x.shape(), *axes);
    shape(x.shape());
  }

  Order order() const override {
    const std::vector<size_t> flipped = chosen_axes(x.shape(), *axes);
    const std::vector<int64_t> strides = strides_of(x.shape());
    std::vector<Walk<1>::Axis> walk;
    int64_t start = 0;
    for (size_t axis = 0; axis < x.shape().rank(); ++axis) {
      const bool back = std::ranges::count(flipped, axis) > 0;
      walk.push_back({x.shape()[axis], {back ? -strides[axis] : strides[axis]}});
      if (back) start += (x.shape()[axis] - 1) * strides[axis];
    }
    return {Walk<1>(walk), start};
  }
};

class Roll final : public Node {
  In x{this, "x", "[batch, ...]", {.any = true}};
  Out y{this, "y", "Shaped as `x`; what leaves at the end comes back at the beginning.", x};
  Param<int64_t> shift{this, "shift", "By how many positions; below 0 towards the beginning.",
                       required};
  Param<int64_t> axis{this, "axis", "Which axis: 1 is the first behind the batch, -1 the last.",
                      -1};

  size_t along() const { return chosen_axes(x.shape(), {*axis}).front(); }

  Twice twice() const override { return Twice::linear; }
  void infer() override {
    (void)along();
    y.shape(x.shape());
    x.forward_only(), y.forward_only();
  }

  // Moves each run of the axis by `by` positions.
  void roll(const float* from, int64_t by, float* to) const {
    int64_t width = 1;
    for (size_t a = along() + 1; a < x.shape().rank(); ++a) width *= x.shape()[a];
    const int64_t extent = x.shape()[along()], n = extent * width;
    if (n == 0) return;
    const int64_t head = (by % extent + extent) % extent * width;  // what comes back
    for (int64_t at = 0; at < x.size(); at += n) {
      std::copy_n(from + at, n - head, to + at + head);
      std::copy_n(from + at + n - head, head, to + at);
    }
  }

  void forward(const Step&) override { roll(x.words(), *shift, y.words()); }
  void backward(const Step&) override {
    if (x.wants_grad()) roll(y.grad(), -*shift, x.grad());
  }
};

WEFT_NODE(Transpose, "transpose", "Puts the axes of each sample in another order.",
          "{x: [4, 3, 5, 2], axes: [2, -1, 1]}")
WEFT_NODE(Flip, "flip", "Reverses axes.", "{x: [4, 3, 5, 2], axes: [1, -2]}")
WEFT_NODE(Roll, "roll", "Shifts the positions of an axis around.",
          "{x: [4, 5, 3], shift: -2, axis: 1}")

}  // namespace
}  // namespace weft

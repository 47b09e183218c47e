#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "nodes/math/axes.h"

namespace weft {
namespace {

// An axis of `length` positions, and its windows, which begin `step` apart.
struct Windows {
  int64_t outer, length, count, size, step, width;  // width: numbers of a position

  Windows(const Shape& whole, size_t axis, int64_t count, int64_t size, int64_t step)
      : outer(1), length(whole[axis]), count(count), size(size), step(step), width(1) {
    for (size_t a = 0; a < axis; ++a) outer *= whole[a];
    for (size_t a = axis + 1; a < whole.rank(); ++a) width *= whole[a];
  }

  // Calls f(offset in the whole, offset in the windows, length) for each window.
  template <class F>
  void each(F f) const {
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < count; ++i)
        f((o * length + i * step) * width, (o * count + i) * size * width, size * width);
  }
  void cut(const float* whole, float* windows) const {
    each([&](int64_t from, int64_t to, int64_t n) { std::copy_n(whole + from, n, windows + to); });
  }
  void add_up(const float* windows, float* whole) const {
    std::fill_n(whole, outer * length * width, 0.0F);
    each([&](int64_t to, int64_t from, int64_t n) {
      for (int64_t i = 0; i < n; ++i) whole[to + i] += windows[from + i];
    });
  }
};

class Unfold final : public Node {
  In x{this, "x", "[batch, ..., n, ...]", {.any = true}};
  Out y{this, "y",
        "[batch, ..., windows, size, ...]; what is left behind the last whole window is not there.",
        x};
  Param<int64_t> axis{this, "axis", "Which axis: 1 is the first behind the batch, -1 the last.", 1,
                      within(-1, Shape::max_rank - 1)};
  Param<int64_t> size{this, "size", "Positions of a window.", required, within(1, 1 << 20)};
  Param<int64_t> step{this, "step", "Positions from one window to the next.", 1,
                      within(1, 1 << 20)};

  size_t at_ = 0;  // the axis

  Windows windows() const { return {x.shape(), at_, y.shape()[at_], *size, *step}; }

  Twice twice() const override { return Twice::linear; }
  void infer() override {
    at_ = chosen_axes(x.shape(), {*axis}).front();
    const int64_t n = x.shape()[at_];
    if (n < *size)
      throw Error("`x` is " + x.shape().str() + ", whose axis " + std::to_string(at_) +
                  " is shorter than `size`, " + std::to_string(*size));
    y.shape(x.shape().with(at_, (n - *size) / *step + 1).inserted(at_ + 1, *size));
    x.forward_only(), y.forward_only();
  }
  void forward(const Step&) override { windows().cut(x.words(), y.words()); }
  void backward(const Step&) override {
    if (x.wants_grad()) windows().add_up(y.grad(), x.grad());
  }
};

WEFT_NODE(Unfold, "unfold",
          "Windows of an axis, which may overlap: frames of a wave, patches of an image by two.",
          "{x: [4, 7, 3], axis: 1, size: 3, step: 2}")

class Fold final : public Node {
  In x{this, "x", "[batch, ..., windows, size, ...], as from `unfold`."};
  Out y{this, "y", "[batch, ..., (windows - 1) step + size, ...]: sums of what overlaps."};
  Param<int64_t> axis{this, "axis", "That of the windows; 1 is the first behind the batch.", 1,
                      within(1, Shape::max_rank - 1)};
  Param<int64_t> step{this, "step", "Positions from one window to the next.", 1,
                      within(1, 1 << 20)};

  Windows windows() const {
    const auto at = static_cast<size_t>(*axis);
    return {y.shape(), at, x.shape()[at], x.shape()[at + 1], *step};
  }

  Twice twice() const override { return Twice::linear; }
  void infer() override {
    const size_t at = chosen_axes(x.shape(), {*axis}).front();
    if (at + 1 == x.shape().rank() || x.shape()[at] == 0)
      throw Error("`x` is " + x.shape().str() + ", but must have windows on axis " +
                  std::to_string(at) + " and their positions on the next");
    const int64_t last = (x.shape()[at] - 1) * *step;
    y.shape(x.shape().without(at).with(at, last + x.shape()[at + 1]));
    x.forward_only(), y.forward_only();
  }
  void forward(const Step&) override { windows().add_up(x.data(), y.data()); }
  void backward(const Step&) override {
    if (x.wants_grad()) windows().cut(y.grad(), x.grad());
  }
};

WEFT_NODE(Fold, "fold",
          "Adds windows up where they overlap (overlap-add): the transpose of `unfold`.",
          "{x: [4, 3, 5, 2], step: 2}")

}  // namespace
}  // namespace weft

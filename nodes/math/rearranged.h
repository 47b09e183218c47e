// The base of nodes that put the numbers of each sample in another order.
#pragma once

#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "nodes/math/walk.h"

namespace weft {

// Where the numbers of one value, taken in their order, lie in another: from `start` on.
struct Order {
  Walk<1> walk;
  int64_t start = 0;

  // Calls move(at, other, length) for the offsets of runs that stay together. What has none is
  // cut into squares that a cache holds, and moved number by number.
  template <class F>
  void each_run(const F& move) const {
    constexpr int64_t side = 16;
    const int64_t rows = walk.rows(), cols = walk.cols();
    const int64_t down = walk.outer().strides[0], right = walk.inner().strides[0];
    walk.each_block([&](int64_t at, const auto& offsets) {
      const int64_t other = start + offsets[0];
      if (right == 1)
        for (int64_t i = 0; i < rows; ++i) move(at + i * cols, other + i * down, cols);
      else
        for (int64_t top = 0; top < rows; top += side)
          for (int64_t left = 0; left < cols; left += side)
            for (int64_t i = top; i < std::min(top + side, rows); ++i)
              for (int64_t j = left; j < std::min(left + side, cols); ++j)
                move(at + i * cols + j, other + i * down + j * right, 1);
    });
  }

  void pull(const float* other, float* to) const {
    each_run([&](int64_t at, int64_t from, int64_t n) { copy(other + from, n, to + at); });
  }
  void push(const float* from, float* other) const {
    each_run([&](int64_t at, int64_t to, int64_t n) { copy(from + at, n, other + to); });
  }

 private:
  static void copy(const float* from, int64_t n, float* to) {
    if (n < 8)
      for (int64_t i = 0; i < n; ++i) to[i] = from[i];
    else
      std::copy_n(from, n, to);
  }
};

class Rearranged : public Node {
 protected:
  In x;
  Out y;

  Rearranged(const char* x_doc, const char* y_doc)
      : x(this, "x", x_doc, {.any = true}), y(this, "y", y_doc, x) {}

  // Where the numbers of y lie in x.
  virtual Order order() const = 0;

  void shape(const Shape& of_y) {  // infer() calls it
    y.shape(of_y);
    x.forward_only(), y.forward_only();
  }

 private:
  Order order_;

  Twice twice() const override { return Twice::linear; }
  void prepare(Pass) override { order_ = order(); }
  void forward(const Step&) override { order_.pull(x.words(), y.words()); }
  void backward(const Step&) override {
    if (x.wants_grad()) order_.push(y.grad(), x.grad());
  }
};

}  // namespace weft

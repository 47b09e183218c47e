// A walk over the elements of a contiguous tensor and, beside it, over N other tensors that lie
// along its axes in ways of their own.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "framework/node/shape.h"

namespace weft {

template <size_t N>
class Walk {
 public:
  using Strides = std::array<int64_t, N>;  // in the others, in elements
  struct Axis {
    int64_t extent;
    Strides strides;
  };

  Walk() = default;
  explicit Walk(const std::vector<Axis>& axes) {
    for (const Axis& axis : axes) take(axis);
    while (axes_.size() < 2) axes_.insert(axes_.begin(), Axis{1, {}});
    for (size_t i = 0; i + 2 < axes_.size(); ++i) blocks_ *= axes_[i].extent;
    if (rows() * cols() == 0) blocks_ = 0;
  }

  // The walk goes block by block, of the two last axes of those that do not go together.
  int64_t rows() const { return outer().extent; }
  int64_t cols() const { return inner().extent; }
  const Axis& outer() const { return axes_[axes_.size() - 2]; }
  const Axis& inner() const { return axes_.back(); }

  // Calls f(offset, offsets in the others) for each block.
  template <class F>
  void each_block(F f) const {
    std::array<int64_t, Shape::max_rank> at{};
    Strides offsets{};
    for (int64_t block = 0; block < blocks_; ++block) {
      f(block * rows() * cols(), offsets);
      for (size_t axis = axes_.size() - 2; axis-- > 0;) {
        const bool ends = ++at[axis] == axes_[axis].extent;
        const int64_t steps = ends ? 1 - axes_[axis].extent : 1;
        for (size_t i = 0; i < N; ++i) offsets[i] += steps * axes_[axis].strides[i];
        if (!ends) break;
        at[axis] = 0;
      }
    }
  }

 private:
  void take(const Axis& axis) {
    if (axis.extent == 1) return;
    bool joins = !axes_.empty();  // the axis before goes on where this one ends
    for (size_t i = 0; joins && i < N; ++i)
      joins = axes_.back().strides[i] == axis.extent * axis.strides[i];
    if (joins)
      axes_.back() = {axes_.back().extent * axis.extent, axis.strides};
    else
      axes_.push_back(axis);
  }

  std::vector<Axis> axes_;
  int64_t blocks_ = 1;
};

}  // namespace weft

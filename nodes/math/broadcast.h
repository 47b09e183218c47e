// Loops over operands of which some are repeated along axes of others, as NumPy has it: shapes are
// aligned at the end, and an axis that is missing or of extent 1 is repeated. Axis 0 is the batch,
// which all operands have, so that [batch] is one number for each sample; it is 1 if all samples
// share an operand, and so is [].
#pragma once

#include <algorithm>
#include <iterator>
#include <utility>

#include "framework/node/node.h"
#include "framework/node/simd.h"
#include "nodes/math/walk.h"

namespace weft {

// The extent of an operand that stands at an axis of `whole`.
inline int64_t extent_at(const Shape& operand, const Shape& whole, size_t axis) {
  if (axis == 0) return operand.rows();
  const size_t missing = whole.rank() - operand.rank();
  return axis > missing ? operand[axis - missing] : 1;
}

// How far apart in an operand the positions at an axis of `whole` lie; 0 if it is repeated there.
inline int64_t stride_at(const Shape& operand, const Shape& whole, size_t axis) {
  if (extent_at(operand, whole, axis) == 1) return 0;
  if (axis == 0) return operand.row_elements();
  int64_t stride = 1;
  for (size_t behind = axis + 1; behind < whole.rank(); ++behind)
    stride *= extent_at(operand, whole, behind);
  return stride;
}

// The numbers of an operand; 0, which stands for all of them, if it is not wired.
inline const float* values_of(const In& operand) {
  static constexpr float nothing = 0;
  return operand.wired() ? operand.data() : &nothing;
}

// The shape that operands have together, or those of them that are wired. Throws Error where they
// do not go together.
inline Shape broadcast(std::initializer_list<const In*> given_operands) {
  std::vector<const In*> operands;
  std::ranges::copy_if(given_operands, std::back_inserter(operands), &In::wired);
  std::vector<int64_t> dims;
  std::string given;
  const auto is_number = [](const In* in) { return in->shape().rank() == 0; };
  if (std::ranges::all_of(operands, is_number)) return {};
  for (const In* in : operands) {
    dims.resize(std::max(dims.size(), in->shape().rank()), 1);
    given += (given.empty() ? "`" : ", `") + std::string(in->name) + "` is " + in->shape().str();
  }
  const Shape longest{std::span<const int64_t>(dims)};
  dims.assign(dims.size(), 1);
  for (const In* in : operands)
    for (size_t axis = 0; axis < dims.size(); ++axis) {
      const int64_t extent = extent_at(in->shape(), longest, axis);
      if (dims[axis] == 1) dims[axis] = extent;
      if (extent != dims[axis] && extent != 1)
        throw Error(given + ", but they must have one batch, and from the last axis on the same " +
                    "extents or 1");
    }
  return Shape(std::span<const int64_t>(dims));
}

// to[i, j] = F(operands at i, j), of a block; bit i of `repeated` says that operand i is one number
// for all j.
template <class F, unsigned repeated, class T, size_t N, size_t... I>
WEFT_SIMD void map_block(std::index_sequence<I...>, int64_t rows, int64_t cols,
                         std::array<const T*, N> in, std::array<int64_t, N> strides,
                         float* __restrict to) {
  for (int64_t i = 0; i < rows; ++i, to += cols) {
    const std::array<const T*, N> row{(in[I] + i * strides[I])...};
    for (int64_t j = 0; j < cols; ++j) to[j] = F::of(row[I][(repeated >> I & 1) != 0 ? 0 : j]...);
  }
}

// The same, added up in what is shaped as operand K; or written, if that is not repeated at all.
template <class F, size_t K, bool adds, unsigned repeated, size_t N, size_t... I>
WEFT_SIMD void sum_block(std::index_sequence<I...>, int64_t rows, int64_t cols,
                         std::array<const float*, N> in, std::array<int64_t, N> strides,
                         float* __restrict to) {
  for (int64_t i = 0; i < rows; ++i, to += strides[K]) {
    const std::array<const float*, N> row{(in[I] + i * strides[I])...};
    if constexpr ((repeated >> K & 1) != 0) {
      float sum = 0;
      WEFT_SUM(sum)
      for (int64_t j = 0; j < cols; ++j) sum += F::of(row[I][(repeated >> I & 1) != 0 ? 0 : j]...);
      *to += sum;
    } else {
      for (int64_t j = 0; j < cols; ++j) {
        const float term = F::of(row[I][(repeated >> I & 1) != 0 ? 0 : j]...);
        to[j] = adds ? to[j] + term : term;
      }
    }
  }
}

// N operands, of which the first `Whole` are never repeated. F has `static float of(…)`, with one
// number of each operand.
template <size_t N, size_t Whole = 0>
class Broadcast {
 public:
  using Pointers = std::array<const float*, N>;

  Broadcast() = default;
  Broadcast(const Shape& whole, const std::array<Shape, N>& operands) {
    std::vector<typename Walk<N>::Axis> axes(whole.rank());
    for (size_t axis = 0; axis < whole.rank(); ++axis) axes[axis].extent = whole[axis];
    for (size_t i = 0; i < N; ++i) {
      sizes_[i] = operands[i].elements();
      repeats_[i] = sizes_[i] != whole.elements();
      for (size_t axis = 0; axis < whole.rank(); ++axis)
        axes[axis].strides[i] = stride_at(operands[i], whole, axis);
    }
    walk_ = Walk<N>(axes);
    for (size_t i = Whole; i < N; ++i)
      if (walk_.cols() > 1 && walk_.inner().strides[i] == 0) repeated_ |= 1U << i;
  }

  // to = F(operands), whole.
  template <class F, class T>
  void map(const std::array<const T*, N>& in, float* to) const {
    pick([&]<unsigned repeated>() {
      walk_.each_block([&](int64_t at, const auto& offsets) {
        map_block<F, repeated>(all, walk_.rows(), walk_.cols(), moved(in, offsets),
                               walk_.outer().strides, to + at);
      });
    });
  }

  // to = F(operands), shaped as operand K, and summed over what is repeated, in a fixed order.
  template <class F, size_t K>
  void sum(const Pointers& in, float* to) const {
    if (repeats_[K]) std::fill_n(to, sizes_[K], 0.0F);
    pick([&]<unsigned repeated>() {
      if (repeats_[K])
        sum_blocks<F, K, true, repeated>(in, to);
      else if constexpr ((repeated >> K & 1) == 0)
        sum_blocks<F, K, false, repeated>(in, to);
    });
  }

  const Walk<N>& walk() const { return walk_; }

 private:
  static constexpr std::make_index_sequence<N> all{};

  // Calls f<repeated>().
  template <unsigned mask = 0, class F>
  void pick(const F& f) const {
    constexpr unsigned next = mask + (1U << Whole), end = (1U << N) - (Whole == 0 ? 1 : 0);
    if (mask == repeated_) return f.template operator()<mask>();
    if constexpr (next < end) pick<next>(f);
  }

  template <class T>
  static std::array<const T*, N> moved(std::array<const T*, N> in,
                                       const typename Walk<N>::Strides& by) {
    for (size_t i = 0; i < N; ++i) in[i] += by[i];
    return in;
  }

  template <class F, size_t K, bool adds, unsigned repeated>
  void sum_blocks(const Pointers& in, float* to) const {
    walk_.each_block([&](int64_t, const auto& offsets) {
      sum_block<F, K, adds, repeated>(all, walk_.rows(), walk_.cols(), moved(in, offsets),
                                      walk_.outer().strides, to + offsets[K]);
    });
  }

  Walk<N> walk_;
  unsigned repeated_ = 0;  // of the operands, within a row of a block
  std::array<int64_t, N> sizes_{};
  std::array<bool, N> repeats_{};
};

}  // namespace weft

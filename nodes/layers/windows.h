// What convolutions and pools have in common: windows that move over images, [batch, height, width,
// channels].
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "framework/node/node.h"

namespace weft {

using Pair = std::array<int64_t, 2>;  // height, width

// A param that is one number for both axes, or two numbers: height, width.
class PairParam {
 public:
  PairParam(Node* owner, const char* name, const char* doc, std::vector<int64_t> value, Check check)
      : numbers_(owner, name, doc, std::move(value), std::move(check)) {}

  Pair operator*() const {
    if (numbers_->size() != 1 && numbers_->size() != 2)
      throw Error("`" + std::string(numbers_.name) + "` has " + std::to_string(numbers_->size()) +
                  " numbers, but must have one, or two: height and width");
    return {numbers_->front(), numbers_->back()};
  }
  bool given() const { return !numbers_->empty(); }

 private:
  Param<std::vector<int64_t>> numbers_;
};

inline std::string text(const Pair& pair) {
  return std::to_string(pair[0]) + " × " + std::to_string(pair[1]);
}

inline void expect_images(const In& x) {
  const Shape& shape = x.shape();
  if (shape.rank() != 4 || shape[1] * shape[2] * shape[3] == 0)
    throw Error(
        "`" + std::string(x.name) + "` is " + shape.str() +
        ", but must be images, [batch, height, width, channels]" +
        (shape.rank() == 2 ? "; `reshape` or a data set's `flatten: false` makes them" : ""));
}

inline void check_groups(int64_t groups, int64_t channels, int64_t features) {
  if (channels % groups != 0 || features % groups != 0)
    throw Error("`groups` is " + std::to_string(groups) + ", which must divide the " +
                std::to_string(channels) + " channels and `features`, " + std::to_string(features));
}

// How many windows of `kernel` fit along each axis of an image.
inline Pair count_windows(const Pair& size, const Pair& kernel, const Pair& stride,
                          const Pair& padding, const Pair& dilation) {
  Pair count{};
  for (size_t axis = 0; axis < 2; ++axis) {
    const int64_t reach = (kernel[axis] - 1) * dilation[axis] + 1;
    const int64_t room = size[axis] + 2 * padding[axis] - reach;
    if (room < 0)
      throw Error("a window of " + text(kernel) + " does not fit into an image of " + text(size) +
                  " with a padding of " + text(padding));
    count[axis] = room / stride[axis] + 1;
  }
  return count;
}

}  // namespace weft

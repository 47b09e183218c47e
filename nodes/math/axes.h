// Params that name axes of a value: axis 0, the batch, cannot be chosen; -1 is the last.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "framework/node/error.h"
#include "framework/node/shape.h"

namespace weft {

// The axes that `given` names, in its order. Throws Error if one is none, or named twice.
inline std::vector<size_t> chosen_axes(const Shape& x, const std::vector<int64_t>& given) {
  std::vector<size_t> axes;
  const auto rank = static_cast<int64_t>(x.rank());
  for (const int64_t axis : given) {
    const int64_t from_front = axis < 0 ? rank + axis : axis;
    if (from_front <= 0 || from_front >= rank)
      throw Error("`x` is " + x.str() + ", which has no axis " + std::to_string(axis) +
                  " beside the batch");
    if (std::ranges::count(axes, static_cast<size_t>(from_front)) > 0)
      throw Error("axis " + std::to_string(axis) + " is named twice");
    axes.push_back(static_cast<size_t>(from_front));
  }
  return axes;
}

// The shape without these axes, or without all but the batch if none is given; or with 1 for each.
inline Shape reduced(const Shape& x, const std::vector<int64_t>& given, bool keep) {
  const std::vector<size_t> chosen = chosen_axes(x, given);
  std::vector<int64_t> dims;
  for (size_t axis = 0; axis < x.rank(); ++axis) {
    const bool goes = axis > 0 && (chosen.empty() || std::ranges::count(chosen, axis) > 0);
    if (!goes || keep) dims.push_back(goes ? 1 : x[axis]);
  }
  return Shape(dims);
}

}  // namespace weft

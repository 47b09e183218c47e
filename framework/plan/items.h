// The items of a value: what lies along its axis 1.
#pragma once

#include <algorithm>
#include <string>

#include "framework/node/shape.h"

namespace weft {

// [batch, n, ...] -> [batch, ...]; `what` names the value where it has not an item for each turn.
inline Shape item_of(const Shape& items, const std::string& what, int64_t n) {
  if (items.rank() < 2 || items[1] != n)
    throw Error(what + " of `over` is " + items.str() + ", but must be [batch, " +
                std::to_string(n) + ", ...]: an item for each turn");
  return items.without(1);
}

// Copies `size` numbers of each of so many rows, which lie `from_step` and `to_step` apart.
inline void copy_rows(const float* from, int64_t from_step, float* to, int64_t to_step,
                      int64_t rows, int64_t size) {
  for (int64_t row = 0; row < rows; ++row)
    std::copy_n(from + row * from_step, size, to + row * to_step);
}

}  // namespace weft

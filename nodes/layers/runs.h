// The runs of numbers that stay together where positions of one axis move to another value.
#pragma once

#include <cstdint>

#include "framework/node/shape.h"

namespace weft {

// Of `n` positions of the axis, from x_begin on in a value like x and from y_begin on in one like
// y, which has other positions on that axis alone: calls f(offset in x, offset in y, length).
template <class F>
void each_run(size_t axis, int64_t n, const Shape& x, int64_t x_begin, const Shape& y,
              int64_t y_begin, F f) {
  int64_t runs = 1, width = 1;
  for (size_t a = 0; a < axis; ++a) runs *= x[a];
  for (size_t a = axis + 1; a < x.rank(); ++a) width *= x[a];
  for (int64_t run = 0; run < runs; ++run)
    f((run * x[axis] + x_begin) * width, (run * y[axis] + y_begin) * width, n * width);
}

}  // namespace weft

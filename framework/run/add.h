// The addition of gradients, which all sums use: those over readers of a value, over uses of a
// weight and over accumulated steps.
#pragma once

#include <cstdint>

#include "framework/node/simd.h"

namespace weft {

static WEFT_SIMD void add(float* __restrict to, const float* __restrict from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] += from[i];
}

}  // namespace weft

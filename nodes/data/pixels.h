// The conversion of an image's bytes to numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/node/simd.h"

namespace weft {

enum class PixelRange { unit, symmetric };
inline std::vector<std::string> names(PixelRange) {
  return {"unit", "symmetric"};
}

static WEFT_SIMD void scale_bytes(const uint8_t* __restrict bytes, float* __restrict out, int64_t n,
                                  float scale, float offset) {
  for (int64_t i = 0; i < n; ++i) out[i] = scale * (bytes[i] / 255.0F) + offset;
}

// Converts bytes to numbers in [0, 1] or [-1, 1].
inline void to_floats(const uint8_t* bytes, float* out, int64_t n, PixelRange range) {
  if (range == PixelRange::unit)
    scale_bytes(bytes, out, n, 1, 0);
  else
    scale_bytes(bytes, out, n, 2, -1);
}

}  // namespace weft

// What nodes share that have a softmax.
#pragma once

#include <cmath>
#include <cstdint>

#include "framework/node/simd.h"

namespace weft {

inline float greatest(const float* __restrict x, int64_t n) {
  float most = x[0];
  WEFT_MAX(most)
  for (int64_t i = 0; i < n; ++i) most = x[i] > most ? x[i] : most;
  return most;
}

// ln Σ exp(x)
[[maybe_unused]] static WEFT_SIMD float log_sum_exp(const float* __restrict x, int64_t n) {
  const float most = greatest(x, n);
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) sum += simd::exp(x[i] - most);
  return most + std::log(sum);
}

}  // namespace weft

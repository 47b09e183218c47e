// Loops over rows, for nodes. Each file that includes them has copies of its own.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "framework/node/simd.h"

namespace weft {

[[maybe_unused]] static WEFT_SIMD float dot(const float* __restrict a, const float* __restrict b,
                                            int64_t n) {
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// y = by · x
[[maybe_unused]] static WEFT_SIMD void scaled(const float* __restrict x, float by,
                                              float* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = by * x[i];
}

// x = by · x
[[maybe_unused]] static WEFT_SIMD void scale(float* __restrict x, float by, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] *= by;
}

[[maybe_unused]] static WEFT_SIMD float sum_of(const float* __restrict x, int64_t n) {
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) sum += x[i];
  return sum;
}

// y = a b, element by element
[[maybe_unused]] static WEFT_SIMD void multiply(const float* __restrict a,
                                                const float* __restrict b, float* __restrict y,
                                                int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = a[i] * b[i];
}

// y = x / |x|; zeros stay zeros. Returns |x|.
[[maybe_unused]] static float direction(const float* x, float* y, int64_t n) {
  const float length = std::sqrt(dot(x, x, n));
  scaled(x, 1 / std::max(length, 1e-8F), y, n);
  return length;
}

// y += by · x
[[maybe_unused]] static WEFT_SIMD void add_scaled(const float* __restrict x, float by,
                                                  float* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] += by * x[i];
}

// The sum over the rows of x, [rows, cols], which lie `stride` apart: sum, [cols].
[[maybe_unused]] static WEFT_SIMD void sum_rows(const float* __restrict x, int64_t rows,
                                                int64_t stride, int64_t cols,
                                                float* __restrict sum) {
  if (cols == 1 && stride == 1) {
    float all = 0;
    WEFT_SUM(all)
    for (int64_t i = 0; i < rows; ++i) all += x[i];
    sum[0] = all;
    return;
  }
  for (int64_t j = 0; j < cols; ++j) sum[j] = 0;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; ++j) sum[j] += x[i * stride + j];
}

// Adds x, [cols], to each row of y, [rows, cols].
[[maybe_unused]] static WEFT_SIMD void add_to_rows(const float* __restrict x, int64_t rows,
                                                   int64_t cols, float* __restrict y) {
  if (cols == 1)
    for (int64_t i = 0; i < rows; ++i) y[i] += x[0];
  else
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < cols; ++j) y[i * cols + j] += x[j];
}

}  // namespace weft

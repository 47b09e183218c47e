// Loops of the nodes that normalise channels. x, y and their gradients are [rows, c], everything
// else is [c]. Each file that includes them has copies of its own.
#pragma once

#include <cstdint>

#include "framework/node/simd.h"

namespace weft {

// sum = Σ (x - mean)²
[[maybe_unused]] static WEFT_SIMD void sum_squares(const float* __restrict x,
                                                   const float* __restrict mean, int64_t rows,
                                                   int64_t c, float* __restrict sum) {
  for (int64_t j = 0; j < c; ++j) sum[j] = 0;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < c; ++j) sum[j] += (x[i * c + j] - mean[j]) * (x[i * c + j] - mean[j]);
}

// sum = Σ dy, product = Σ dy (x - mean)
[[maybe_unused]] static WEFT_SIMD void sum_grads(const float* __restrict grad,
                                                 const float* __restrict x,
                                                 const float* __restrict mean, int64_t rows,
                                                 int64_t c, float* __restrict sum,
                                                 float* __restrict product) {
  for (int64_t j = 0; j < c; ++j) sum[j] = product[j] = 0;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < c; ++j) {
      sum[j] += grad[i * c + j];
      product[j] += grad[i * c + j] * (x[i * c + j] - mean[j]);
    }
}

// y = scale x + shift
[[maybe_unused]] static WEFT_SIMD void scale_rows(const float* __restrict x,
                                                  const float* __restrict scale,
                                                  const float* __restrict shift,
                                                  float* __restrict y, int64_t rows, int64_t c) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < c; ++j) y[i * c + j] = x[i * c + j] * scale[j] + shift[j];
}

// dx = scale dy + slope x + shift
[[maybe_unused]] static WEFT_SIMD void grad_rows(
    const float* __restrict grad, const float* __restrict x, const float* __restrict scale,
    const float* __restrict slope, const float* __restrict shift, float* __restrict grad_x,
    int64_t rows, int64_t c) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < c; ++j)
      grad_x[i * c + j] = grad[i * c + j] * scale[j] + (x[i * c + j] * slope[j] + shift[j]);
}

}  // namespace weft

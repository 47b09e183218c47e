// Softmax over n numbers, for nodes. Each file that includes it has copies of its own.
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

// ln Σ exp(x), without overflow.
[[maybe_unused]] static WEFT_SIMD float log_sum_exp(const float* __restrict x, int64_t n) {
  const float most = greatest(x, n);
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) sum += simd::exp(x[i] - most);
  return most + std::log(sum);
}

// What softmax() divided by, as two numbers: the greatest x, and the sum of exp(x - greatest).
struct SoftmaxSum {
  float most, sum;
  float log() const { return most + std::log(sum); }  // ln Σ exp(x), if sharp is 1
};

// s = exp(sharp s) / Σ exp(sharp s), in place.
[[maybe_unused]] static WEFT_SIMD SoftmaxSum softmax(float* __restrict s, int64_t n,
                                                     float sharp = 1) {
  const float most = greatest(s, n);
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) sum += s[i] = simd::exp(sharp * (s[i] - most));
  const float share = 1 / sum;
  for (int64_t i = 0; i < n; ++i) s[i] *= share;
  return {most, sum};
}

// grad = sharp p (grad - Σ grad p), in place; p are the probabilities that softmax() gave.
[[maybe_unused]] static WEFT_SIMD void softmax_backward(const float* __restrict p,
                                                        float* __restrict grad, int64_t n,
                                                        float sharp = 1) {
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) sum += grad[i] * p[i];
  for (int64_t i = 0; i < n; ++i) grad[i] = sharp * p[i] * (grad[i] - sum);
}

// grad = sharp (grad_y - exp(x - log_sum) Σ grad_y), where y = x - log_sum are the logarithms of
// probabilities.
[[maybe_unused]] static WEFT_SIMD void log_softmax_backward(const float* __restrict x,
                                                            float log_sum,
                                                            const float* __restrict grad_y,
                                                            float* __restrict grad, int64_t n,
                                                            float sharp = 1) {
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) sum += grad_y[i];
  for (int64_t i = 0; i < n; ++i) grad[i] = sharp * (grad_y[i] - simd::exp(x[i] - log_sum) * sum);
}

}  // namespace weft

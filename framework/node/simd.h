// Plain loops, compiled once for each kind of CPU. A function marked WEFT_SIMD is cloned for SSE2,
// AVX2 and AVX-512; the loader picks the clone, the compiler vectorises the loop. Pointers carry
// `__restrict` so that it can. Sums say `WEFT_SUM(s)` before the loop: the order of additions is
// then the compiler's, fixed for one binary and one CPU kind.
#pragma once

#include <bit>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__x86_64__) || \
    defined(__clang__)
#define WEFT_SIMD  // the resolvers of clones run before a sanitizer is ready
#else
#define WEFT_SIMD __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#endif
#define WEFT_PRAGMA(text) _Pragma(#text)
#define WEFT_SUM(variable) WEFT_PRAGMA(omp simd reduction(+ : variable))
#define WEFT_MAX(variable) WEFT_PRAGMA(omp simd reduction(max : variable))

namespace weft::simd {

// e^x within 1e-7 relative; 0 below -87.3, saturates above 88. NaN stays NaN. (Cephes expf.)
inline float exp(float x) {
  float c = x < -87.3F ? -87.3F : x;
  c = c > 88.0F ? 88.0F : c;
  constexpr float shift = 12582912.0F;  // 1.5 · 2^23: adding it rounds to the nearest integer
  const float n = c * 1.44269504F + shift - shift;
  const float r = c - n * 0.693145752F - n * 1.42860677e-6F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  const float scale = std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
  const float y = p * scale;
  return x < -87.3F ? 0.0F : y;
}

// ln x within 1e-7 relative, for normal x > 0. NaN stays NaN. (Cephes logf.)
inline float log(float x) {
  const auto i = std::bit_cast<int32_t>(x);
  const int32_t e = (i - 0x3f3504f3) >> 23;
  const float f = std::bit_cast<float>(i - (e << 23)) - 1.0F;
  const float z = f * f;
  const auto n = static_cast<float>(e);
  float p = 7.0376836292e-2F;
  p = p * f - 1.1514610310e-1F;
  p = p * f + 1.1676998740e-1F;
  p = p * f - 1.2420140846e-1F;
  p = p * f + 1.4249322787e-1F;
  p = p * f - 1.6668057665e-1F;
  p = p * f + 2.0000714765e-1F;
  p = p * f - 2.4999993993e-1F;
  p = p * f + 3.3333331174e-1F;
  const float y = f + (f * z * p - n * 2.12194440e-4F - 0.5F * z) + n * 0.693359375F;
  return x == x ? y : x;
}

inline float sigmoid(float x) {
  return 1.0F / (1.0F + exp(-x));
}
inline float softplus(float x) {  // ln(1 + e^x)
  const float a = x > 0 ? x : -x;
  return (x > 0 ? x : 0.0F) + log(1.0F + exp(-a));
}
inline float tanh(float x) {
  return 2.0F * sigmoid(2.0F * x) - 1.0F;
}

}  // namespace weft::simd

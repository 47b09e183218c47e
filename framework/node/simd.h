// Plain loops, compiled once for each kind of CPU. A function marked WEFT_SIMD is cloned for SSE2,
// AVX2 and AVX-512; the loader picks the clone, the compiler vectorises the loop. Pointers carry
// `__restrict` so that it can. Sums say `WEFT_SUM(s)` before the loop: the order of additions is
// then the compiler's, fixed for one binary and one CPU kind.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

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

// sin(x + quarters · π/2) within 1e-7 for |x| < 1e8, bounded beyond. (Cephes sinf, cosf.)
inline float sin(float x, uint32_t quarters = 0) {
  constexpr double shift = 6755399441055744.0;  // 1.5 · 2^52: adding it rounds, as in exp()
  const double n = static_cast<double>(x) * 0.63661977236758134 + shift;
  const auto quadrant = static_cast<uint32_t>(std::bit_cast<uint64_t>(n)) + quarters;
  auto r = static_cast<float>(static_cast<double>(x) - (n - shift) * 1.5707963267948966);
  r = r > 0.8F ? 0.8F : r;
  r = r < -0.8F ? -0.8F : r;
  const float z = r * r;
  float s = -1.9515295891e-4F;
  s = s * z + 8.3321608736e-3F;
  s = s * z - 1.6666654611e-1F;
  s = s * z * r + r;
  float c = 2.443315711809948e-5F;
  c = c * z - 1.388731625493765e-3F;
  c = c * z + 4.166664568298827e-2F;
  c = c * z * z - 0.5F * z + 1.0F;
  const float y = (quadrant & 1) != 0 ? c : s;
  return (quadrant & 2) != 0 ? -y : y;
}
inline float cos(float x) {
  return sin(x, 1);
}

// x^e within 2e-7 relative, as C's pow() where x is 0, infinite or negative; NaN if either is.
inline float pow(float x, float e) {
  constexpr float infinite = std::numeric_limits<float>::infinity();
  constexpr double shift = 6755399441055744.0, ln_2 = 0.6931471805599453;
  const float a = x < 0 ? -x : x;
  const bool tiny = a < std::numeric_limits<float>::min();
  const auto i = std::bit_cast<int32_t>(tiny ? a * 16777216.0F : a);
  const int32_t k = (i - 0x3f3504f3) >> 23;
  const auto m = static_cast<double>(std::bit_cast<float>(i - (k << 23)));  // in [√½, √2)
  const double s = (m - 1) / (m + 1), z = s * s;                            // ln m = 2 artanh s
  double p = 1.0 / 11;
  p = p * z + 1.0 / 9;
  p = p * z + 1.0 / 7;
  p = p * z + 1.0 / 5;
  p = p * z + 1.0 / 3;
  p = p * z + 1;
  double t = static_cast<double>(e) * (2 * s * p + (tiny ? k - 24 : k) * ln_2);  // ln |x|^e
  t = t > 90 ? 90 : t;
  t = t < -110 ? -110 : t;
  const double n = t * 1.4426950408889634 + shift - shift;
  const auto whole = static_cast<int32_t>(n), half = whole >> 1;  // 2^n may be no normal number
  float y = exp(static_cast<float>(t - n * ln_2));
  y *= std::bit_cast<float>((half + 127) << 23);
  y *= std::bit_cast<float>((whole - half + 127) << 23);
  const float of_zero = e > 0 ? 0.0F : infinite, of_infinity = e > 0 ? infinite : 0.0F;
  y = a == 0 ? of_zero : y;
  y = a == infinite ? of_infinity : y;
  y = e == 0 ? 1.0F : y;
  const float far = e < 0 ? -e : e;
  const auto digits = static_cast<int32_t>(far < 16777216.0F ? far : 0.0F);  // even beyond
  const float signed_y = y * static_cast<float>(1 - 2 * (digits & 1));
  const float negative = e == std::nearbyint(e) ? signed_y : infinite - infinite;
  y = x < 0 ? negative : y;
  y = x == x ? y : x;
  return e == e ? y : e;
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

#include "framework/node/random.h"

#include <Random123/philox.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "framework/node/simd.h"

namespace weft {

namespace {
constexpr float two_pi = 2 * std::numbers::pi_v<float>;

inline float unit(uint32_t bits) {
  return static_cast<float>(bits >> 8) * 0x1p-24F;
}  // in [0, 1)

WEFT_SIMD void to_unit(const uint32_t* __restrict bits, float* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = unit(bits[i]);
}

// Writes the four numbers of each of the blocks first, first + 1, … (Philox4x32-10), many blocks
// side by side.
WEFT_SIMD void fill_blocks(uint64_t key, uint64_t step, uint32_t row, uint32_t first,
                           int64_t blocks, uint32_t* __restrict out) {
#pragma omp simd
  for (int64_t i = 0; i < blocks; ++i) {
    auto c0 = first + static_cast<uint32_t>(i), c1 = row, c2 = static_cast<uint32_t>(step),
         c3 = static_cast<uint32_t>(step >> 32);
    auto k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9U, k1 += 0xBB67AE85U) {
      const uint64_t a = uint64_t{c0} * 0xD2511F53U, b = uint64_t{c2} * 0xCD9E8D57U;
      c0 = static_cast<uint32_t>(b >> 32) ^ c1 ^ k0, c1 = static_cast<uint32_t>(b);
      c2 = static_cast<uint32_t>(a >> 32) ^ c3 ^ k1, c3 = static_cast<uint32_t>(a);
    }
    out[4 * i] = c0, out[4 * i + 1] = c1, out[4 * i + 2] = c2, out[4 * i + 3] = c3;
  }
}
}  // namespace

uint64_t Random::key(uint64_t seed, std::string_view path) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : path) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  uint64_t z = hash + (seed + 1) * 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

std::array<uint32_t, 4> Random::block() {
  const r123::Philox4x32::ctr_type counter{
      {next_++, row_, static_cast<uint32_t>(step_), static_cast<uint32_t>(step_ >> 32)}};
  const r123::Philox4x32::key_type key{
      {static_cast<uint32_t>(key_), static_cast<uint32_t>(key_ >> 32)}};
  const auto r = r123::Philox4x32()(counter, key);
  return {r[0], r[1], r[2], r[3]};
}

void Random::bits(std::span<uint32_t> out) {
  const size_t whole = out.size() / 4;
  if (whole > 1) fill_blocks(key_, step_, row_, next_, static_cast<int64_t>(whole), out.data());
  size_t i = whole > 1 ? 4 * whole : 0;
  next_ += static_cast<uint32_t>(i / 4);
  for (; i < out.size(); i += 4) {
    const auto b = block();
    std::copy_n(b.data(), std::min<size_t>(4, out.size() - i), out.data() + i);
  }
}

void Random::uniform(std::span<float> out) {
  std::array<uint32_t, 256> drawn;
  for (size_t i = 0; i < out.size(); i += drawn.size()) {
    const size_t n = std::min(drawn.size(), out.size() - i);
    bits({drawn.data(), n});
    to_unit(drawn.data(), out.data() + i, static_cast<int64_t>(n));
  }
}

void Random::normal(std::span<float> out) {
  std::array<uint32_t, 256> drawn;
  for (size_t i = 0; i < out.size(); i += drawn.size()) {
    const size_t n = std::min(drawn.size(), out.size() - i);
    bits({drawn.data(), n + n % 2});
    for (size_t j = 0; j < n; j += 2) {
      const float radius = std::sqrt(-2 * std::log(1 - unit(drawn[j])));
      const float angle = two_pi * unit(drawn[j + 1]);
      out[i + j] = radius * std::cos(angle);
      if (j + 1 < n) out[i + j + 1] = radius * std::sin(angle);
    }
  }
}

uint64_t Random::below(uint64_t n) {
  const auto b = block();
  const uint64_t wide = (uint64_t{b[0]} << 32) | b[1];
  return static_cast<uint64_t>((static_cast<unsigned __int128>(wide) * n) >> 64);
}

uint64_t permuted(uint64_t i, uint64_t n, uint64_t key, uint64_t epoch) {
  const int half = (std::bit_width(n > 1 ? n - 1 : 1) + 1) / 2;
  const uint64_t mask = (uint64_t{1} << half) - 1;
  const r123::Philox4x32::key_type k{
      {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)}};
  do {
    uint64_t left = i >> half, right = i & mask;
    for (uint32_t round = 0; round < 4; ++round) {
      const auto r = r123::Philox4x32()(
          {{static_cast<uint32_t>(right), static_cast<uint32_t>(right >> 32) | (round << 24),
            static_cast<uint32_t>(epoch), static_cast<uint32_t>(epoch >> 32)}},
          k);
      left ^= r[0] & mask;
      std::swap(left, right);
    }
    i = (left << half) | right;
  } while (i >= n);
  return i;
}

}  // namespace weft

#include "framework/node/random.h"

#include <Random123/philox.h>

#include <bit>
#include <cmath>
#include <numbers>

namespace weft {

namespace {
constexpr float two_pi = 2 * std::numbers::pi_v<float>;

float unit(uint32_t bits) {
  return static_cast<float>(bits >> 8) * 0x1p-24F;
}  // [0, 1)
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
  for (size_t i = 0; i < out.size(); i += 4) {
    const auto b = block();
    for (size_t j = 0; j < 4 && i + j < out.size(); ++j) out[i + j] = b[j];
  }
}

void Random::uniform(std::span<float> out) {
  for (size_t i = 0; i < out.size(); i += 4) {
    const auto b = block();
    for (size_t j = 0; j < 4 && i + j < out.size(); ++j) out[i + j] = unit(b[j]);
  }
}

void Random::normal(std::span<float> out) {
  for (size_t i = 0; i < out.size(); i += 4) {
    const auto b = block();
    float n[4];
    for (size_t j = 0; j < 4; j += 2) {
      const float radius = std::sqrt(-2 * std::log(1 - unit(b[j])));
      n[j] = radius * std::cos(two_pi * unit(b[j + 1]));
      n[j + 1] = radius * std::sin(two_pi * unit(b[j + 1]));
    }
    for (size_t j = 0; j < 4 && i + j < out.size(); ++j) out[i + j] = n[j];
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

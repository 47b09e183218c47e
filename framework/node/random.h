// Counter-based random numbers: Philox-4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405).
// There is no generator state. The numbers of a row are a function of
//   key     = (seed, path of the node in the pipeline), and
//   counter = (block of four numbers, row of the batch, step),
// so rows may be computed anywhere, in any order, and again after a resume.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "framework/node/error.h"

namespace weft {

class WEFT_API Random {
 public:
  Random(uint64_t key, uint64_t step, uint32_t row) : key_(key), step_(step), row_(row) {}
  // The key of the random numbers of `path` in a run with `seed`: the FNV-1a 64 hash of the path,
  // mixed with the seed (SplitMix64).
  static uint64_t key(uint64_t seed, std::string_view path);

  // Each fill continues where the last one ended, at the next whole block of four numbers.
  void uniform(std::span<float> out);  // in [0, 1), 24 bits
  void normal(std::span<float> out);   // Box-Muller over pairs: u1 in (0, 1], u2 in [0, 1)
  void bits(std::span<uint32_t> out);
  uint64_t below(uint64_t n);  // in [0, n)

 private:
  std::array<uint32_t, 4> block();

  uint64_t key_, step_;
  uint32_t row_, next_ = 0;
};

// The position of element `i` in a random order of [0, n): a keyed permutation without a table (a
// Feistel network of Philox rounds over the next power of four, walked until it lands below n).
WEFT_API uint64_t permuted(uint64_t i, uint64_t n, uint64_t key, uint64_t epoch);

}  // namespace weft

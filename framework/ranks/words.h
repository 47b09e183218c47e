// What processes tell each other beside their exchanges: that they live, fail or end.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include "framework/ranks/ranks.h"

namespace weft {

inline constexpr std::chrono::seconds between_beats{1};
inline constexpr uint64_t of_word = 2;  // in a ticket; bit 0: was it sent?

struct Ranks::Word {
  enum Kind : int32_t { beat, failed, bye };
  int32_t kind = beat, code = 0;
  std::array<char, 1016> text{};
  void write(const std::string& from) {
    text.fill('\0');
    std::copy_n(from.data(), std::min(from.size(), text.size() - 1), text.data());
  }
};

}  // namespace weft

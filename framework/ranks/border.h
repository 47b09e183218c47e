// What processes agree on at the border of a step: each says at its begin what it was asked for,
// and all hear at its end what any of them was. So nobody waits, and all do the same.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "framework/ranks/ranks.h"

namespace weft {

class Border {
 public:
  explicit Border(Ranks& ranks);

  void say(uint64_t asked);  // bits
  uint64_t hear();           // of all; throws the failure of another process
 private:
  struct Heard;
  Ranks& ranks_;
  uint64_t own_ = 0;
  std::vector<uint64_t> theirs_;
  std::shared_ptr<Heard> heard_;
  Exchange* exchange_ = nullptr;
};

}  // namespace weft

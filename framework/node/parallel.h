// Parallel work within a node that sees the whole batch, on as many threads as are free.
#pragma once

#include <cstdint>
#include <functional>

#include "framework/node/error.h"

namespace weft {

// Cuts [0, n) into blocks of `size` and calls f(begin, end) for each, possibly several at once. The
// blocks are the same for any number of threads, so sums of blocks that are added up in order have
// the same bits.
WEFT_API void in_blocks(int64_t n, int64_t size, const std::function<void(int64_t, int64_t)>& f);

// The seconds that the calling thread has spent in in_blocks(), which more threads would share.
WEFT_API double seconds_in_blocks();

// Runs `f` in this thread alone: no other takes part in what `f` gives to oneTBB.
WEFT_API void alone(const std::function<void()>& f);

}  // namespace weft

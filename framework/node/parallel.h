// Work within a node that sees the whole batch, for as many threads as are free.
#pragma once

#include <cstdint>
#include <functional>

#include "framework/node/error.h"

namespace weft {

// Cuts [0, n) into blocks of `size` and calls f(begin, end) for each, maybe several at once. The
// cut is the same for any number of threads: what is kept block by block and added up in order has
// the same bits.
WEFT_API void in_blocks(int64_t n, int64_t size, const std::function<void(int64_t, int64_t)>& f);

// For the framework: what the calling thread has spent in in_blocks() so far, which more threads
// would share.
WEFT_API double seconds_in_blocks();

// For the framework: runs `f` in this thread, which is then the only one that takes what `f` leaves
// to oneTBB.
WEFT_API void alone(const std::function<void()>& f);

}  // namespace weft

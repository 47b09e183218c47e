#include "framework/node/parallel.h"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <chrono>

#include "framework/node/running.h"

namespace weft {

namespace {
thread_local double spent = 0;
}

double seconds_in_blocks() {
  return spent;
}

void alone(const std::function<void()>& f) {
  thread_local tbb::task_arena one(1);
  one.execute(f);
}

// The blocks run isolated: a thread that waits for them takes no other node's work in between.
void in_blocks(int64_t n, int64_t size, const std::function<void(int64_t, int64_t)>& f) {
  if (n <= size) return n > 0 ? f(0, n) : void();
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const Running* const here = Running::here();
  tbb::this_task_arena::isolate([&] {
    tbb::parallel_for(
        tbb::blocked_range<int64_t>(0, (n + size - 1) / size, 1),
        [&](const tbb::blocked_range<int64_t>& blocks) {
          const Running helper(here);
          for (int64_t i = blocks.begin(); i < blocks.end(); ++i)
            f(i * size, std::min((i + 1) * size, n));
        },
        tbb::simple_partitioner());
  });
  spent += std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace weft

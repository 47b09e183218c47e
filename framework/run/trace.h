// Which call of which node ran when, on which thread: what `weft profile` reads.
#pragma once

#include <tbb/enumerable_thread_specific.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace weft {

// What a call of a task does. `read` fills the next batch; `check` looks at the loss before
// anything learns from it.
enum class Work { forward, seed, backward, sum, learn, update, check, clip, read };
const char* name(Work work);

class Trace {
 public:
  using Clock = std::chrono::steady_clock;
  struct Span {
    size_t phase;
    int node;
    Work work;
    int64_t part;  // the lane, the block of a weight, or -1
    Clock::time_point begin, end;
  };

  void add(const Span& span) { spans_.local().push_back(span); }
  void clear() { spans_.clear(); }
  // Of each thread that did something, in order. Not while a step runs.
  std::vector<std::vector<Span>> threads() const { return {spans_.begin(), spans_.end()}; }

 private:
  tbb::enumerable_thread_specific<std::vector<Span>> spans_;
};

}  // namespace weft

// An estimate of a step's time on more threads, from the times that its tasks take on one.
#pragma once

#include <vector>

#include "framework/run/trace.h"

namespace weft::cli {

// Tasks start as soon as the tasks they wait for are done and a thread is free; work that a node
// does in blocks is shared by all threads, as if there were a block for each. Memory and caches are
// taken to be as fast for all threads as for one, so step() is what the graph allows; the machine
// may be slower.
class Simulation {
 public:
  // `trace` is of `steps` steps on one thread, which took `wall` seconds.
  Simulation(const Trace& trace, size_t steps, double wall);
  double step(int threads) const;  // seconds

 private:
  struct Task {
    double alone = 0, shared = 0;  // mean seconds; shared: those in blocks
  };
  struct Graph {
    std::vector<Task> tasks;
    std::vector<std::vector<int>> after;
    double runs;  // mean number of runs in a step
    double seconds(int threads) const;
  };
  std::vector<Graph> graphs_;
};

}  // namespace weft::cli

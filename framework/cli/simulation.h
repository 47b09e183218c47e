// What a step would take on more threads, from what its tasks take on one.
#pragma once

#include <vector>

#include "framework/run/trace.h"

namespace weft::cli {

// Tasks start as soon as what they wait for is done and a thread is free; what a node does in
// blocks is shared by all threads, as if there were a block for each. Memory and caches are taken
// to be as fast for all threads as for one: the graph allows what step() says, the machine may not.
class Simulation {
 public:
  // Of `steps` steps on one thread that took `wall` seconds.
  Simulation(const Trace& trace, size_t steps, double wall);
  double step(int threads) const;  // seconds

 private:
  struct Task {
    double alone = 0, shared = 0;  // seconds, in the mean; shared: in blocks
  };
  struct Graph {
    std::vector<Task> tasks;
    std::vector<std::vector<int>> after;
    double runs;  // in a step
    double seconds(int threads) const;
  };
  std::vector<Graph> graphs_;
};

}  // namespace weft::cli

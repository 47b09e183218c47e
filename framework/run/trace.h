// A record of which call of which node ran when, on which thread. `weft profile` reads it.
#pragma once

#include <tbb/enumerable_thread_specific.h>

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "framework/plan/ids.h"
#include "framework/run/work.h"

namespace weft {

class Trace {
 public:
  using Clock = std::chrono::steady_clock;
  struct Span {
    size_t phase;
    NodeId node;
    Work work;
    int64_t part;     // the lane or the block of a weight, or -1
    int graph, task;  // the number of the graph, and of the task in it
    Clock::time_point begin, end;
    double in_blocks;  // seconds of the span that more threads would share
  };
  struct Graph {
    std::vector<std::vector<int>> after;  // by task: the tasks that it waits for
    int runs = 0;
  };

  void add(const Span& span) { spans_.local().push_back(span); }
  // Adds a graph and returns its number, which its spans carry, and which run() is given whenever
  // the graph runs.
  int add(Graph graph) {
    graphs_.push_back(std::move(graph));
    return static_cast<int>(graphs_.size()) - 1;
  }
  void run(int graph) { ++graphs_[static_cast<size_t>(graph)].runs; }
  void clear() {
    spans_.clear();
    for (Graph& graph : graphs_) graph.runs = 0;
  }
  const std::vector<Graph>& graphs() const { return graphs_; }
  // The spans of each thread that did something, in order. Must not be called while a step runs.
  std::vector<std::vector<Span>> threads() const { return {spans_.begin(), spans_.end()}; }

 private:
  tbb::enumerable_thread_specific<std::vector<Span>> spans_;
  std::vector<Graph> graphs_;
};

}  // namespace weft

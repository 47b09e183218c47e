#include "framework/cli/simulation.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <queue>
#include <utility>

namespace weft::cli {

namespace {
size_t at(int index) {
  return static_cast<size_t>(index);
}
}  // namespace

Simulation::Simulation(const Trace& trace, size_t steps, double wall) {
  double runs = 0;  // of all tasks
  for (const Trace::Graph& graph : trace.graphs()) {
    graphs_.push_back({std::vector<Task>(graph.after.size()), graph.after,
                       static_cast<double>(graph.runs) / static_cast<double>(steps)});
    runs += static_cast<double>(graph.after.size()) * graph.runs;
  }
  for (const std::vector<Trace::Span>& spans : trace.threads())
    for (const Trace::Span& span : spans) {
      const double took = std::chrono::duration<double>(span.end - span.begin).count();
      Task& task = graphs_[at(span.graph)].tasks[at(span.task)];
      const double often = trace.graphs()[at(span.graph)].runs;
      task.alone += (took - span.in_blocks) / often;
      task.shared += span.in_blocks / often;
      wall -= took;
    }
  for (Graph& graph : graphs_)  // the runtime's time is shared evenly
    for (Task& task : graph.tasks) task.alone += wall / runs;
}

double Simulation::step(int threads) const {
  double all = 0;
  for (const Graph& graph : graphs_)
    if (graph.runs > 0) all += graph.runs * graph.seconds(threads);
  return all;
}

double Simulation::Graph::seconds(int threads) const {
  std::vector<std::vector<size_t>> then(tasks.size());
  std::vector<size_t> waits;
  std::vector<size_t> ready;  // a stack: oneTBB takes the newest first
  for (size_t task = 0; task < tasks.size(); ++task) {
    for (const int before : after[task]) then[at(before)].push_back(task);
    waits.push_back(after[task].size());
    if (waits.back() == 0) ready.push_back(task);
  }
  using Running = std::pair<double, size_t>;  // the time of its end, the task
  std::priority_queue<Running, std::vector<Running>, std::greater<>> running;
  double now = 0, work = 0;
  while (!ready.empty() || !running.empty()) {
    while (!ready.empty() && running.size() < at(threads)) {
      const Task& task = tasks[ready.back()];
      running.emplace(now + task.alone + task.shared / threads, ready.back());
      work += task.alone + task.shared;
      ready.pop_back();
    }
    const auto [end, done] = running.top();
    running.pop();
    now = end;
    for (const size_t next : then[done])
      if (--waits[next] == 0) ready.push_back(next);
  }
  return std::max(now, work / threads);
}

}  // namespace weft::cli

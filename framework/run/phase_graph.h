// One phase of a step as a oneTBB flow graph.
//
// Row-wise nodes that follow one another are one task for each lane: a worker takes a lane through
// all of them while its rows are in its cache. A node that needs the whole batch is a task that
// waits for all lanes; so is each block of a weight that learns, followed by its optimizer. Tasks
// do not throw: the first error is kept, and tasks that have not started are skipped.
#pragma once

#include <tbb/flow_graph.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "framework/plan/loop_nodes.h"
#include "framework/plan/order.h"
#include "framework/run/instances.h"
#include "framework/run/trace.h"
#include "framework/run/updates.h"

namespace weft {

// What the tasks of a step share.
struct StepState {
  Step step;
  std::vector<double> losses;  // by phase
  std::optional<Error> failure;
  std::atomic<bool> failed = false;
  std::mutex mutex;
  Trace* trace = nullptr;  // records every call, if it is not null
  bool check = false;      // watch every call: see checked_call.h

  void fail(const Error& error);  // the first one is kept
};

class PhaseGraph {
 public:
  // If `reads_ahead`, the data's next batch is loaded while this phase runs.
  PhaseGraph(const Plan& plan, size_t phase, const std::vector<PlanItem>& items,
             Instances& instances, const Gradients& gradients, Updates& updates, StepState& state,
             bool reads_ahead);

  void run();
  void busy(std::vector<std::string>& names) const;

 private:
  using Join = tbb::flow::continue_node<tbb::flow::continue_msg>;
  struct Call {
    NodeId node;
    Work work;
    int64_t part;  // as in Trace
    std::function<void(int workspace, int64_t turn)> body;
    const LoopEnd* loop = nullptr;  // the loop that ends with it
    size_t back = 0;                // the call with which a further turn of that begins
    bool begins = false;            // does a loop begin with it?
  };
  struct Task {
    int number;
    int64_t lane = -1;               // the lane that it takes through its calls, or -1
    std::vector<Instance*> visited;  // the lane's instances that it calls
    std::vector<Call> calls;
    std::atomic<const Call*> now = nullptr;  // the call that runs, or null
    std::unique_ptr<Join> join;
    std::vector<Task*> after;  // the tasks that it waits for
  };
  // Where an item runs: in the tasks of a group of lanes, or in a task of its own.
  struct Where {
    int group = -1;
    Task* task = nullptr;
  };

  Task& task();
  Task& lane_task(int group, int64_t lane);
  void wait_for(Task& task, const std::vector<size_t>& items);
  void add_item(const PlanItem& item);
  void add_calls(const PlanItem& item, int64_t lane, Task& task);
  void mark_loop(NodeId node, const Instance& instance, Task& task);
  Step step_of(const Instance& instance) const;
  template <class F>
  void call(const Instance& instance, Work work, F f, int64_t samples = -1);
  void seed(ValueId value, Rows rows);
  void sum(ValueId value, Rows rows);
  void check_loss();
  void learn(BlockLearner& learner);
  void finish(BlockLearner& learner);
  void add_learning();
  void add_read_ahead();
  void connect();
  void execute(Task& task);
  Error failure(const Task& task) const;
  void make_calls(Task& task, int workspace);
  void make(const Task& task, const Call& call, int workspace, int64_t turn);

  const Plan& plan_;
  const size_t phase_;
  Instances& instances_;
  const Gradients& gradients_;
  Updates& updates_;
  StepState& state_;
  int traced_ = -1;  // the graph's number in the trace
  tbb::flow::graph graph_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::vector<std::vector<Task*>> groups_;  // by group and lane
  ItemIndex index_;
  std::vector<Where> where_;       // by item
  std::map<LoopId, Task*> loops_;  // the tasks of loops that do not run in lanes
};

}  // namespace weft

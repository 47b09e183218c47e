// One phase of a step as a oneTBB flow graph.
//
// Row-wise nodes that follow one another are one task for each lane: a worker takes a lane through
// all of them while its rows are in its cache. A node that needs the whole batch is a task that
// waits for all lanes; so is each block of a weight that learns, followed by its optimizer. Tasks
// do not throw: the first error is kept, and tasks that have not started are skipped.
#pragma once

#include <tbb/flow_graph.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "framework/plan/loop_nodes.h"
#include "framework/plan/order.h"
#include "framework/ranks/ranks.h"
#include "framework/run/buckets.h"
#include "framework/run/checked_call.h"
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
  Ranks* ranks = nullptr;  // the processes that share the steps; null if there is one

  void fail(const Error& error);  // the first one is kept
};

class PhaseGraph {
 public:
  // The last phase of a step also loads the data's next batch while it runs, and makes reports.
  PhaseGraph(const Plan& plan, size_t phase, const std::vector<PlanItem>& items,
             Instances& instances, const Gradients& gradients, Updates& updates, StepState& state,
             bool last);

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
    std::vector<Task*> after;    // the tasks that it waits for
    bool arrival = false;        // does it also wait for messages of other processes?
    std::function<void()> then;  // what follows even if the step has failed
    std::vector<Task*> before;   // the tasks that wait for it
    std::atomic<int> waits = 0;  // for how many things, in this run
  };
  // What is exchanged with other processes in each run of the graph, or only in those that end in
  // an update of weights.
  struct Shared {
    Exchange* exchange;
    Task* arrived;
    bool at_once = true;  // may what comes be written from the begin of the run on?
    bool update = false;
    int parity = -1;  // of the steps in which it is exchanged; -1: of any
  };
  // Where an item runs: in the tasks of a group of lanes, or in a task of its own.
  struct Where {
    int group = -1;
    Task* task = nullptr;
  };

  Task& task();
  Task& lane_task(int group, int64_t lane);
  void wait_for(Task& task, const std::vector<size_t>& items);
  void wait_for_rows(const PlanItem& item, Task& task);
  bool belongs_elsewhere(const PlanItem& item) const;
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
  void accumulate(const BlockLearner& learner);
  void add_learning();
  Task& add_block(BlockLearner& learner, Task& guard);
  void add_update(const BlockLearner& learner, Task& to, bool sums);
  Task& add_norm(const std::vector<Task*>& blocks);
  void share_learning(const std::vector<Task*>& blocks, Task& guard);
  void add_follow(const BlockLearner& learner, Task& to);
  Exchange gradients_of(const Bucket& bucket);
  Exchange weights_of(const Bucket& bucket);
  size_t bytes_of(const BlockRun& run) const;
  Task& squares_of(const std::vector<Bucket>& buckets, const std::vector<Task*>& own);
  Task& parts_of(const PlanItem& item);
  Task& rows_of(ValueId value);
  Task& rows_of(BufferId buffer, const std::vector<Tensor>& whole, size_t producer);
  Shared& share(Exchange exchange, bool at_once, bool update);
  void begin_exchanges();
  void arrive(Task& task);
  void pass_on(Task& task);
  bool exchanges(const Shared& shared) const;
  void add_reports();
  void add_read_ahead();
  void connect();
  void execute(Task& task);
  Error failure(const Task& task) const;
  void make_calls(Task& task, int workspace);
  void make(const Task& task, const Call& call, int workspace, int64_t turn);

  const Plan& plan_;
  const size_t phase_;
  Ranks* const ranks_;
  Instances& instances_;
  const Gradients& gradients_;
  Updates& updates_;
  StepState& state_;
  int traced_ = -1;  // the graph's number in the trace
  tbb::flow::graph graph_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::vector<std::vector<Task*>> groups_;  // by group and lane
  ItemIndex index_;
  std::vector<Where> where_;        // by item
  std::map<LoopId, Task*> loops_;   // the tasks of loops that do not run in lanes
  std::set<ValueId> summed_;        // values whose gradient is summed over readers
  std::map<BufferId, Task*> rows_;  // by buffer of which all rows are gathered: when they are there
  std::deque<Shared> shared_;
  std::atomic<int> open_ = 0;                // tasks that run or could
  std::atomic<int> pending_ = 0;             // exchanges that are not over
  std::deque<std::vector<double>> squares_;  // of gradients' norms, by owner
};

// Calls a node, under watch if that is asked for. `samples` is the number of rows of the batch that
// hold samples: those of this step if it is not given.
template <class F>
void PhaseGraph::call(const Instance& instance, Work work, F f, int64_t samples) {
  Node& node = *instance.node;
  if (!state_.check || plan_.nodes[instance.plan_node].make) return f(node);
  if (samples < 0) samples = step_of(instance).rows;
  checked_call(node, work, samples, [&] { f(node); });
}

}  // namespace weft

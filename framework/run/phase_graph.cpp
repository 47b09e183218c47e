#include "framework/run/phase_graph.h"

#include <tbb/task_arena.h>

#include <algorithm>
#include <set>

#include "framework/node/parallel.h"
#include "framework/plan/blame.h"
#include "framework/plan/sample_order.h"
#include "framework/run/add.h"

namespace weft {

void StepState::fail(const Error& error) {
  {
    const std::scoped_lock lock(mutex);
    if (!failure) failure.emplace(error);
    failed = true;
  }
  if (ranks) ranks->fail(error);
}

PhaseGraph::PhaseGraph(const Plan& plan, size_t phase, const std::vector<PlanItem>& items,
                       Instances& instances, const Gradients& gradients, Updates& updates,
                       StepState& state, bool last)
    : plan_(plan),
      phase_(phase),
      ranks_(state.ranks),
      instances_(instances),
      gradients_(gradients),
      updates_(updates),
      state_(state),
      index_(plan, plan.phases[phase]) {
  for (const PlanItem& item : items)
    if (item.kind == PlanItem::Kind::sum) summed_.insert(item.value);
  for (const PlanItem& item : items) add_item(item);
  if (plan.phases[phase].loss) add_learning();
  if (last && plan.data) add_read_ahead();
  if (last) add_reports();
  connect();
}

PhaseGraph::Task& PhaseGraph::task() {
  Task& added = *tasks_.emplace_back(std::make_unique<Task>());
  added.number = static_cast<int>(tasks_.size()) - 1;
  return added;
}

PhaseGraph::Task& PhaseGraph::lane_task(int group, int64_t lane) {
  while (std::ssize(groups_) <= group) groups_.emplace_back(static_cast<size_t>(plan_.lanes));
  Task*& found = groups_[group][static_cast<size_t>(lane)];
  if (!found) {
    found = &task();
    found->lane = lane;
  }
  return *found;
}

void PhaseGraph::wait_for(Task& task, const std::vector<size_t>& items) {
  for (const size_t item : items) {
    const Where& before = where_[item];
    if (before.task) task.after.push_back(before.task);
    for (int64_t lane = plan_.own.begin; before.group >= 0 && lane < plan_.own.end; ++lane)
      task.after.push_back(&lane_task(before.group, lane));
  }
}

// Adds an item to the tasks of its group of lanes, or as a task of its own. A lane runs its items
// in order, so an item in lanes waits only for items that are tasks of their own.
void PhaseGraph::add_item(const PlanItem& item) {
  const std::vector<size_t> after = index_.needs(item);
  Where where;
  if (item.laned) {
    where.group = item.group();
    for (int64_t lane = plan_.own.begin; lane < plan_.own.end; ++lane) {
      Task& own = lane_task(where.group, lane);
      for (const size_t before : after)
        if (Task* other = where_[before].task) own.after.push_back(other);
      add_calls(item, lane, own);
    }
  } else {
    const LoopId loop = plan_.outermost(item.loop);
    Task*& own = loop ? loops_[loop] : where.task;
    where.task = own = own ? own : &task();
    wait_for(*where.task, after);
    wait_for_rows(item, *where.task);
    if (!belongs_elsewhere(item)) add_calls(item, -1, *where.task);
  }
  index_.add(item, where_.size());
  where_.push_back(where);
}

void PhaseGraph::add_calls(const PlanItem& item, int64_t lane, Task& task) {
  const NodeId n = item.node ? item.node : plan_.values[item.value].node;
  const bool once = item.kind == PlanItem::Kind::observe || item.kind == PlanItem::Kind::join;
  Instance& instance = once ? instances_.once(n) : instances_.in_lane(n, lane);
  const auto add = [&](Work work, auto body) { task.calls.push_back({n, work, lane, body}); };
  const auto add_call = [&](Work work, auto function, auto... pass) {
    add(work, [=, this, &instance](int, int64_t turn) {
      Step step = step_of(instance);
      step.turn = turn;
      call(instance, work, [&](Node& node) { (node.*function)(step, pass...); });
    });
  };
  switch (item.kind) {
    case PlanItem::Kind::observe: add_call(Work::observe, &Node::observe); break;
    case PlanItem::Kind::summarize:
      add_call(item.pass == Pass::forward ? Work::summarize : Work::summarize_gradients,
               &Node::summarize, item.pass);
      break;
    case PlanItem::Kind::join: return add_call(Work::join, &Node::join, item.pass);
    case PlanItem::Kind::forward:
      add_call(Work::forward, &Node::forward);
      if (item.loop) mark_loop(n, instance, task);
      break;
    case PlanItem::Kind::seed:
      return add(Work::seed, [=, this](int space, int64_t) { seed(item.value, {lane, space}); });
    case PlanItem::Kind::sum:
      return add(Work::sum, [=, this](int space, int64_t) { sum(item.value, {lane, space}); });
    case PlanItem::Kind::backward:
      add_call(Work::backward, &Node::backward);
      if (const PlanLearn* learn = plan_.phases[phase_].learn(n);
          learn && learn->in_lanes && (lane >= 0 || plan_.own.begin == 0))
        add_call(Work::learn, &Node::learn);
  }
  if (lane >= 0) task.visited.push_back(&instance);
}

// Marks the call that was added last if a loop begins or ends with it.
void PhaseGraph::mark_loop(NodeId node, const Instance& instance, Task& task) {
  const PlanLoop& loop = plan_.loops[plan_.nodes[node].loop];
  task.calls.back().begins = node == loop.begin;
  if (node != loop.end) return;
  const auto begin =
      std::ranges::find(task.calls.rbegin(), task.calls.rend(), loop.begin, &Call::node);
  task.calls.back().loop = dynamic_cast<const LoopEnd*>(instance.node.get());
  task.calls.back().back = static_cast<size_t>(task.calls.rend() - begin) - 1;
}

Step PhaseGraph::step_of(const Instance& instance) const {
  return plan_.nodes[instance.plan_node].seen(state_.step);
}

// Writes d mean(loss) / d loss, [rows]: 1 / samples in rows that hold samples, 0 in the others.
void PhaseGraph::seed(ValueId value, Rows rows) {
  const Tensor grad = instances_.grad(phase_, value, rows);
  const PlanRows& own = plan_.values[value].rows;
  const int64_t first = rows.lane < 0 ? 0 : plan_.lane_rows(own, rows.lane).begin;
  const int64_t samples = own.of(state_.step.rows);
  for (int64_t row = 0; row < grad.shape.rows(); ++row)
    grad.floats()[row] = first + row < samples ? 1.0F / static_cast<float>(samples) : 0.0F;
}

// Adds the gradients that further readers of the value left in buffers of their own to the value's
// gradient, in the plan's order.
void PhaseGraph::sum(ValueId value, Rows rows) {
  const Tensor grad = instances_.grad(phase_, value, rows);
  const auto each_reader = [&](auto f) {
    for (const auto& [reader, input] : plan_.values[value].readers)
      if (const Tensor more = instances_.input_grad(phase_, reader, input, rows)) f(more);
  };
  bool written = value == plan_.phases[phase_].loss;
  each_reader([&](const Tensor& own) { written = written || own.data == grad.data; });
  if (!written) std::fill_n(grad.floats(), grad.size(), 0.0F);
  each_reader([&](const Tensor& more) {
    if (more.data != grad.data) add(grad.floats(), more.floats(), grad.size());
  });
}

void PhaseGraph::add_read_ahead() {
  for (Instance& instance : instances_.of(plan_.data)) {
    task().calls.push_back({plan_.data, Work::read, -1, [this, &instance](int, int64_t) {
                              const Step next{state_.step.number + 1, plan_.rows};
                              call(
                                  instance, Work::read, [&](Node& node) { node.forward(next); },
                                  SampleOrder(*plan_.source()).rows(next.number));
                            }});
  }
}

void PhaseGraph::connect() {
  for (size_t group = 1; group < groups_.size(); ++group)  // lanes keep their order
    for (size_t lane = 0; lane < groups_[group].size(); ++lane)
      for (size_t before = group; before-- > 0 && groups_[group][lane];)
        if (groups_[before][lane]) {
          groups_[group][lane]->after.push_back(groups_[before][lane]);
          break;
        }
  for (const auto& task : tasks_) {
    std::sort(task->visited.begin(), task->visited.end());
    task->visited.erase(std::unique(task->visited.begin(), task->visited.end()),
                        task->visited.end());
  }
  for (const auto& task : tasks_)
    task->join = std::make_unique<Join>(
        graph_, task->arrival ? 1 : 0,
        [this, task = task.get()](const tbb::flow::continue_msg&) { execute(*task); });
  for (const auto& task : tasks_) {
    std::set<Task*> after(task->after.begin(), task->after.end());
    after.erase(task.get());  // within a loop
    for (Task* before : after) tbb::flow::make_edge(*before->join, *task->join);
    task->after.assign(after.begin(), after.end());
    for (Task* before : after) before->before.push_back(task.get());
  }
  if (!state_.trace) return;
  Trace::Graph waits;
  for (const auto& task : tasks_) {
    auto& numbers = waits.after.emplace_back();
    for (const Task* before : task->after) numbers.push_back(before->number);
  }
  traced_ = state_.trace->add(std::move(waits));
}

void PhaseGraph::execute(Task& task) {
  try {
    if (task.lane < 0)
      make_calls(task, -1);
    else  // isolated: a thread that waits within a node takes no other lane and workspace
      tbb::this_task_arena::isolate([&] {
        const Workspaces::Lease own(instances_.workspaces);
        make_calls(task, own.number);
      });
  } catch (const Error& error) {
    state_.fail(error.code() == Exit::nonfinite ? error : failure(task));
  } catch (...) {
    state_.fail(failure(task));
  }
  task.now.store(nullptr, std::memory_order_relaxed);
  if (task.then) task.then();
  if (ranks_) pass_on(task);
}

// Turns what was thrown in a task's call into an error of the call's node.
Error PhaseGraph::failure(const Task& task) const {
  const Call* const now = task.now.load(std::memory_order_relaxed);
  const Call& call = now ? *now : task.calls.front();
  const PlanNode& node = plan_.nodes[call.node];
  const Host& ports = node.node->host();
  return blame(node.place, who(node),
               "step " + std::to_string(state_.step.number) + ", " + name(call.work),
               wires(plan_, node, ports));
}

void PhaseGraph::make_calls(Task& task, int workspace) {
  const int parity = static_cast<int>(state_.step.number % 2);
  for (Instance* instance : task.visited)
    instances_.bind_lane(*instance, phase_, parity, workspace);
  int64_t turn = 0;  // of all loops around the call
  bool again = false;
  for (size_t i = 0; i < task.calls.size(); ++i) {
    const Call& call = task.calls[i];
    if (state_.failed.load(std::memory_order_relaxed)) break;
    task.now.store(&call, std::memory_order_relaxed);
    if (ranks_ && pending_.load(std::memory_order_relaxed) > 0) ranks_->move();
    if (call.begins && !std::exchange(again, false))
      turn *= plan_.loops[plan_.nodes[call.node].loop].times;
    make(task, call, workspace, turn);
    if (!call.loop) continue;
    if (call.loop->finished())
      turn /= call.loop->times();
    else
      ++turn, again = true, i = call.back - 1;
  }
}

void PhaseGraph::make(const Task& task, const Call& call, int workspace, int64_t turn) {
  const PlanNode& node = plan_.nodes[call.node];
  const Running now(node.path.c_str(), node.kind.c_str(), name(call.work), state_.step.number);
  if (!state_.trace) return call.body(workspace, turn);
  const double in_blocks = seconds_in_blocks();
  const auto begin = Trace::Clock::now();
  call.body(workspace, turn);
  state_.trace->add({phase_, call.node, call.work, call.part, traced_, task.number, begin,
                     Trace::Clock::now(), seconds_in_blocks() - in_blocks});
}

void PhaseGraph::run() {
  if (state_.trace) state_.trace->run(traced_);
  if (ranks_) begin_exchanges();
  for (const auto& task : tasks_)
    if (task->after.empty() && !task->arrival) task->join->try_put(tbb::flow::continue_msg());
  graph_.wait_for_all();
}

void PhaseGraph::busy(std::vector<std::string>& names) const {
  for (const auto& task : tasks_)
    if (const Call* call = task->now.load(std::memory_order_relaxed))
      names.push_back(plan_.nodes[call->node].path);
}

}  // namespace weft

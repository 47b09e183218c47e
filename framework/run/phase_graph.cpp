#include "framework/run/phase_graph.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "framework/graph/differentiate.h"
#include "framework/node/simd.h"

namespace weft {

namespace {
size_t at(int index) {
  return static_cast<size_t>(index);
}

WEFT_SIMD void add(float* __restrict to, const float* __restrict from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] += from[i];
}
}  // namespace

void StepState::fail(const Error& error) {
  const std::scoped_lock lock(mutex);
  if (!failure) failure.emplace(error);
  failed = true;
}

PhaseGraph::PhaseGraph(const Plan& plan, size_t phase, const std::vector<PlanItem>& items,
                       Instances& instances, Learner& learner, StepState& state, bool reads_ahead)
    : plan_(plan),
      phase_(phase),
      instances_(instances),
      learner_(learner),
      state_(state),
      forward_(plan.nodes.size()),
      backward_(plan.nodes.size()),
      grad_(plan.values.size()) {
  for (const PlanItem& item : items) add_item(item);
  if (plan.phases[phase].loss >= 0) {
    add_guard();
    add_learning();
  }
  if (reads_ahead && plan.data >= 0) add_read_ahead();
  connect();
}

PhaseGraph::Task& PhaseGraph::task() {
  return *tasks_.emplace_back(std::make_unique<Task>());
}

PhaseGraph::Task& PhaseGraph::lane_task(int group, int64_t lane) {
  while (groups_.size() <= at(group)) groups_.emplace_back(static_cast<size_t>(plan_.lanes));
  Task*& found = groups_[at(group)][static_cast<size_t>(lane)];
  if (!found) found = &task();
  return *found;
}

// Lanes go on in the latest group that what they wait for allows; a task of its own stands between
// groups. Within a group a lane runs its items in order, so it waits for other tasks only.
PhaseGraph::Where PhaseGraph::place(bool laned, const std::vector<Where>& after) {
  Where where{.group = laned ? 0 : -1, .level = 0};
  for (const Where& before : after) {
    if (before.group < 0 && !before.task) continue;  // computed in an earlier phase
    const int level = before.task ? before.level : before.group;
    where.level = std::max(where.level, level);
    if (laned) where.group = std::max(where.group, before.task ? level + 1 : level);
  }
  if (!laned) wait_for(*(where.task = &task()), after);
  for (const Where& before : after)
    for (int64_t lane = 0; laned && before.task && lane < plan_.lanes; ++lane)
      lane_task(where.group, lane).after.push_back(before.task);
  return where;
}

void PhaseGraph::wait_for(Task& task, const std::vector<Where>& after) {
  for (const Where& before : after) {
    if (before.task) task.after.push_back(before.task);
    for (int64_t lane = 0; before.group >= 0 && lane < plan_.lanes; ++lane)
      task.after.push_back(&lane_task(before.group, lane));
  }
}

void PhaseGraph::call(const Where& where, int node,
                      const std::function<std::function<void()>(int64_t)>& make) {
  if (where.task) return where.task->calls.emplace_back(node, make(-1)), void();
  for (int64_t lane = 0; lane < plan_.lanes; ++lane)
    lane_task(where.group, lane).calls.emplace_back(node, make(lane));
}

void PhaseGraph::add_item(const PlanItem& item) {
  switch (item.kind) {
    case PlanItem::Kind::forward: return add_forward(item.node);
    case PlanItem::Kind::seed: return add_seed(item.value);
    case PlanItem::Kind::sum: return add_sum(item.value);
    case PlanItem::Kind::backward: return add_backward(item.node);
  }
}

void PhaseGraph::add_forward(int n) {
  const PlanNode& node = plan_.nodes[at(n)];
  std::vector<Where> after;
  for (const int input : node.inputs)
    if (input >= 0) after.push_back(forward_[at(plan_.values[at(input)].node)]);
  for (int before = 0; before < n && !node.node->states.empty(); ++before)
    if (plan_.nodes[at(before)].weights == node.weights) after.push_back(forward_[at(before)]);
  const Where where = forward_[at(n)] = place(node.laned, after);
  call(where, n, [&](int64_t lane) {
    Node* instance = instances_.of(n)[static_cast<size_t>(std::max<int64_t>(lane, 0))].node.get();
    return [this, instance] { instance->forward(state_.step); };
  });
}

// d mean(loss) / d loss: the rows that hold samples share it.
void PhaseGraph::add_seed(int value) {
  const PlanValue& loss = plan_.values[at(value)];
  const bool laned = plan_.nodes[at(loss.node)].laned;
  const std::vector<Where> after{forward_[at(loss.node)]};
  const Where where = grad_[at(value)] = place(laned, after);
  call(where, loss.node, [&](int64_t lane) {
    return [this, value, lane] {
      const Tensor grad = instances_.grad(phase_, value);
      const int64_t rows = grad.shape.rank() == 0 ? 1 : state_.step.rows;
      const Range range =
          lane < 0 ? Range{0, grad.shape.rows()} : plan_.lane_rows(grad.shape, lane);
      for (int64_t row = range.begin; row < range.end; ++row)
        grad.floats()[row] = row < rows ? 1.0F / static_cast<float>(rows) : 0.0F;
    };
  });
}

// What must have been written before the gradients of a node's outputs are whole.
std::vector<PhaseGraph::Where> PhaseGraph::grads_of(int n) const {
  std::vector<Where> after;
  for (const int value : plan_.nodes[at(n)].outputs) {
    after.push_back(grad_[at(value)]);
    for (const auto& [reader, input] : plan_.values[at(value)].readers)
      if (plan_.phases[phase_].extra_grads.contains({reader, input}))
        after.push_back(backward_[at(reader)]);
  }
  return after;
}

// The gradients that further readers left beside the value's own, added in the plan's order.
void PhaseGraph::add_sum(int value) {
  const PlanValue& v = plan_.values[at(value)];
  const PlanPhase& phase = plan_.phases[phase_];
  const bool laned = plan_.nodes[at(v.node)].laned;
  std::vector<Where> after{grad_[at(value)]};
  std::vector<std::pair<int, size_t>> extras;
  bool written = value == phase.loss;
  for (const auto& [reader, input] : v.readers) {
    const auto found = phase.extra_grads.find({reader, input});
    if (found == phase.extra_grads.end()) continue;
    after.push_back(backward_[at(reader)]);
    if (found->second == phase.grads.at(value))
      written = true;
    else
      extras.emplace_back(reader, at(input));
  }
  const Where where = grad_[at(value)] = place(laned, after);
  call(where, v.node, [&](int64_t lane) {
    return [this, value, lane, extras, written] {
      const auto part = [&](const Tensor& t) {
        if (lane < 0) return t;
        const Range rows = plan_.lane_rows(t.shape, lane);
        return t.slice(rows.begin, rows.end);
      };
      const Tensor grad = part(instances_.grad(phase_, value));
      if (!written) std::fill_n(grad.floats(), grad.size(), 0.0F);
      for (const auto& [reader, input] : extras)
        add(grad.floats(), part(instances_.input_grad(phase_, reader, input)).floats(),
            grad.size());
    };
  });
}

void PhaseGraph::add_backward(int n) {
  const PlanNode& node = plan_.nodes[at(n)];
  std::vector<Where> after = grads_of(n);
  after.push_back(forward_[at(n)]);
  const Where where = backward_[at(n)] = place(node.laned, after);
  call(where, n, [&](int64_t lane) {
    Node* instance = instances_.of(n)[static_cast<size_t>(std::max<int64_t>(lane, 0))].node.get();
    return [this, instance] { instance->backward(state_.step); };
  });
}

// The loss of the batch, before anything learns from it.
void PhaseGraph::add_guard() {
  const int value = plan_.phases[phase_].loss;
  const std::vector<Where> after{forward_[at(plan_.values[at(value)].node)]};
  guard_ = place(false, after);
  guard_->task->calls.emplace_back(plan_.values[at(value)].node, [this, value] {
    const Tensor loss = instances_.value(value, static_cast<int>(state_.step.number % 2));
    const int64_t rows = loss.shape.rank() == 0 ? 1 : state_.step.rows;
    double sum = 0;
    for (int64_t row = 0; row < rows; ++row) sum += static_cast<double>(loss.floats()[row]);
    state_.losses[phase_] = sum / static_cast<double>(rows);
    if (!std::isfinite(sum))
      throw Error(Exit::nonfinite, "the loss `" + plan_.phases[phase_].decl->minimize.text +
                                       "` is " + (std::isnan(sum) ? "not a number" : "infinite"));
  });
}

void PhaseGraph::add_learning() {
  const PlanPhase& phase = plan_.phases[phase_];
  std::vector<Task*> blocks;
  for (BlockLearner& learner : instances_.learners(phase_)) {
    const PlanLearn& learn = phase.learns[learner.learn];
    std::vector<Where> after{*guard_};
    for (size_t n = 0; n < plan_.nodes.size(); ++n)
      if (plan_.nodes[n].weights == learn.weights)
        after.push_back(forward_[n]), after.push_back(backward_[n]);
    Task& block = task();
    wait_for(block, after);
    block.calls.emplace_back(learn.nodes[0], [this, &learner, &learn] {
      for (size_t use = 0; use < learner.uses.size(); ++use) {
        learner.uses[use].node->learn(state_.step);
        if (use == 0) continue;
        for (const int w : learn.plan_weights) {
          const Range range = learn.blocks[learner.block];
          const Shape& shape = plan_.weights[at(w)].shape;
          const int64_t rows = range.end >= 0 ? range.size() : shape.rows();
          add(learner_.grad(phase_, w, range), learner_.scratch(w, range),
              rows * shape.row_elements());
        }
      }
      learner_.finish_block(phase_, learner.learn, learner.block, state_.step.number);
    });
    blocks.push_back(&block);
  }
  if (phase.decl->clip == 0) return;
  Task& norm = task();
  norm.after = blocks;
  norm.calls.emplace_back(plan_.values[at(phase.loss)].node, [this] {
    if (learner_.updates(phase_, state_.step.number)) learner_.clip(phase_);
  });
  for (BlockLearner& learner : instances_.learners(phase_)) {
    Task& update = task();
    update.after = {&norm};
    update.calls.emplace_back(phase.learns[learner.learn].nodes[0], [this, &learner] {
      if (learner_.updates(phase_, state_.step.number))
        learner_.update(phase_, learner.learn, learner.block);
    });
  }
}

void PhaseGraph::add_read_ahead() {
  for (Instance& instance : instances_.of(plan_.data)) {
    Node* node = instance.node.get();
    task().calls.emplace_back(plan_.data, [this, node] {
      node->forward({state_.step.number + 1, plan_.rows});
    });
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
  for (const auto& task : tasks_)
    task->join = std::make_unique<Join>(
        graph_, [this, task = task.get()](const tbb::flow::continue_msg&) { execute(*task); });
  for (const auto& task : tasks_) {
    const std::set<Task*> after(task->after.begin(), task->after.end());
    for (Task* before : after) tbb::flow::make_edge(*before->join, *task->join);
    task->after.assign(after.begin(), after.end());
  }
}

void PhaseGraph::execute(Task& task) {
  const auto fail = [&](Exit code, const std::string& why) {
    const PlanNode& node = plan_.nodes[at(task.now.load(std::memory_order_relaxed))];
    state_.fail(Error(
        node.place,
        node.path + " (" + node.kind + "), step " + std::to_string(state_.step.number) + ": " + why,
        code));
  };
  try {
    for (const auto& [node, body] : task.calls) {
      if (state_.failed.load(std::memory_order_relaxed)) break;
      task.now.store(node, std::memory_order_relaxed);
      body();
    }
  } catch (const Error& error) {
    if (error.code() == Exit::nonfinite)
      state_.fail(error);
    else
      fail(error.code(), error.sentence());
  } catch (const std::exception& error) {
    fail(Exit::internal, error.what());
  } catch (...) {
    fail(Exit::internal, "threw what is not an exception");
  }
  task.now.store(-1, std::memory_order_relaxed);
}

void PhaseGraph::run() {
  for (const auto& task : tasks_)
    if (task->after.empty()) task->join->try_put(tbb::flow::continue_msg());
  graph_.wait_for_all();
}

void PhaseGraph::busy(std::vector<std::string>& names) const {
  for (const auto& task : tasks_)
    if (const int node = task->now.load(std::memory_order_relaxed); node >= 0)
      names.push_back(plan_.nodes[at(node)].path);
}

}  // namespace weft

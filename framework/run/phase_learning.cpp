// How a phase learns: the gradients of blocks of weights, and their updates.
#include <cmath>

#include "framework/run/add.h"
#include "framework/run/phase_graph.h"

namespace weft {

// Computes the loss of the batch, and fails if it is not finite, before anything learns from it.
void PhaseGraph::check_loss() {
  const PlanPhase& phase = plan_.phases[phase_];
  const Tensor loss = instances_.value(phase.loss, static_cast<int>(state_.step.number % 2));
  const int64_t rows = plan_.values[phase.loss].rows.of(state_.step.rows);
  double sum = 0;
  for (int64_t row = 0; row < rows; ++row) sum += static_cast<double>(loss.floats()[row]);
  state_.losses[phase_] = sum / static_cast<double>(rows);
  if (!std::isfinite(sum))
    throw Error(Exit::nonfinite, "the loss `" + phase.decl->minimize.text + "` is " +
                                     (std::isnan(sum) ? "not a number" : "infinite"));
}

// Makes the gradient of a block, shard by shard, and in each use by use in the plan's order.
void PhaseGraph::learn(BlockLearner& learner) {
  const PlanLearn& learn = plan_.phases[phase_].learns[learner.learn];
  const Range block = learn.blocks[learner.block];
  for (ShardLearner& shard : learner.shards)
    for (Instance& use : shard.uses) {
      call(use, Work::learn, [&](Node& node) { node.learn(step_of(use)); });
      for (const WeightId w : learn.learned) {
        if (&use == &shard.uses[0]) continue;
        const Shape& shape = plan_.weights[w].shape;
        add(gradients_.part(phase_, w, static_cast<size_t>(shard.shard), block),
            gradients_.scratch(w, block),
            (block.end >= 0 ? block.size() : shape.rows()) * shape.row_elements());
      }
    }
}

// What this process has of a block's gradient.
void PhaseGraph::accumulate(const BlockLearner& learner) {
  const PlanLearn& learn = plan_.phases[phase_].learns[learner.learn];
  const Range block = learn.blocks[learner.block], own = plan_.own_shards();
  for (const WeightId w : learn.learned)
    for (int64_t shard = own.begin; shard < own.end; ++shard)
      if (float* const sum = gradients_.sum_shard(phase_, learn, w, shard, block))
        instances_.norms.correct(w, sum);
  updates_.accumulate(phase_, learner.learn, learner.block, state_.step.number);
}

void PhaseGraph::add_learning() {
  const PlanPhase& phase = plan_.phases[phase_];
  Task& guard = task();
  wait_for(guard, index_.needs({.kind = PlanItem::Kind::seed, .value = phase.loss}));
  if (ranks_ && plan_.nodes[plan_.values[phase.loss].node].laned)
    guard.after.push_back(&rows_of(phase.loss));
  guard.calls.push_back(
      {plan_.values[phase.loss].node, Work::check, -1, [this](int, int64_t) { check_loss(); }});
  std::vector<Task*> blocks;
  for (BlockLearner& learner : instances_.learners(phase_))
    blocks.push_back(&add_block(learner, guard));
  if (ranks_) return share_learning(blocks, guard);
  // The update follows the gradient at once, while the block is in the cache.
  for (size_t i = 0; i < blocks.size(); ++i)
    add_update(instances_.learners(phase_)[i], *blocks[i], true);
  if (phase.decl->clip == 0) return;
  Task& norm = add_norm(blocks);
  for (const BlockLearner& learner : instances_.learners(phase_)) {
    Task& update = task();
    update.after = {&norm};
    add_update(learner, update, false);
  }
}

PhaseGraph::Task& PhaseGraph::add_block(BlockLearner& learner, Task& guard) {
  const PlanLearn& own = plan_.phases[phase_].learns[learner.learn];
  Task& block = task();
  wait_for(block, index_.readers(own.weights));
  for (const std::string& follower : plan_.followers(own.weights))
    wait_for(block, index_.readers(follower));
  if (!ranks_) block.after.push_back(&guard);  // else only updates wait for the loss of all
  const auto part = static_cast<int64_t>(learner.block);
  if (!own.in_lanes)
    block.calls.push_back(
        {own.nodes[0], Work::learn, part, [this, &learner](int, int64_t) { learn(learner); }});
  block.calls.push_back(
      {own.nodes[0], Work::update, part, [this, &learner](int, int64_t) { accumulate(learner); }});
  return block;
}

// Adds the update of a block to a task, in steps that end in one; `sums`: what comes before the
// norm of all gradients is known, if they are clipped.
void PhaseGraph::add_update(const BlockLearner& learner, Task& to, bool sums) {
  const auto update = [this, sums, l = learner.learn, b = learner.block](int, int64_t) {
    const int64_t step = state_.step.number;
    if (!updates_.updates(phase_, step)) return;
    sums ? updates_.finish(phase_, l, b, step) : updates_.update(phase_, l, b, step);
  };
  to.calls.push_back({plan_.phases[phase_].learns[learner.learn].nodes[0], Work::update,
                      static_cast<int64_t>(learner.block), update});
}

PhaseGraph::Task& PhaseGraph::add_norm(const std::vector<Task*>& blocks) {
  Task& norm = task();
  norm.after = blocks;
  norm.calls.push_back(
      {plan_.values[plan_.phases[phase_].loss].node, Work::clip, -1, [this](int, int64_t) {
         if (updates_.updates(phase_, state_.step.number)) updates_.clip(phase_);
       }});
  return norm;
}

}  // namespace weft

#include "framework/plan/lanes.h"

#include <algorithm>
#include <bit>

namespace weft {

namespace {
// Rows of a lane: fewer starve a matrix product, more starve the threads and outgrow the cache.
constexpr int64_t most_rows = 64, least_rows = 4;
constexpr int64_t cache_elements = 1 << 19;  // of the largest tensor of a lane: 2 MiB
constexpr int64_t most_lanes = 64;

int64_t choose_lanes(const Plan& plan) {
  int64_t largest = 1;  // elements of a row
  for (const PlanValue& value : plan.values)
    if (!value.rows.shared)
      largest = std::max(largest, value.rows.each * value.shape.row_elements());
  const auto fitting = std::bit_floor(static_cast<uint64_t>(cache_elements / largest));
  const int64_t rows = std::clamp(static_cast<int64_t>(fitting), least_rows, most_rows);
  return std::clamp<int64_t>(plan.rows / rows, 1, most_lanes);
}

// Row i of what it writes depends on row i of what it reads, and on what all samples share. The
// gradient of that, if it learns, is of the whole batch. What is said of a whole batch is joined of
// lanes' parts if the batch is cut into shards: without, it is one sum, as it always was.
bool is_row_wise(const PlanNode& node, const Plan& plan, const ByValue<bool>& learned) {
  const auto shared = [&](ValueId value) { return plan.values[value].rows.shared; };
  const Host& host = node.node->host();
  const bool summed = host.summarizes(Pass::forward) || host.summarizes(Pass::backward);
  return !node.node->whole_batch() && !node.rows.shared && !node.outputs.empty() &&
         (!summed || (plan.shards > 1 && !node.loop && !node.make)) &&
         std::ranges::none_of(node.outputs, shared) &&
         std::ranges::none_of(
             node.inputs, [&](ValueId value) { return value && shared(value) && learned[value]; });
}

// The values of a training that depend on weights.
ByValue<bool> learned_values(const Plan& plan) {
  ByValue<bool> learned(plan.values.size());
  if (plan.mode != Mode::train) return learned;
  for (const PlanNode& node : plan.nodes)
    if (!node.node->host().weights.empty() ||
        std::ranges::any_of(node.inputs, [&](ValueId in) { return in && learned[in]; }))
      for (const ValueId value : node.outputs) learned[value] = true;
  return learned;
}

// In a loop that runs in lanes each lane computes for itself what all samples share, if nothing
// learns from it.
bool is_repeatable(const PlanNode& node, const Plan& plan) {
  return plan.mode != Mode::train && node.loop && node.rows.shared && !node.node->whole_batch();
}
}  // namespace

void cut_into_lanes(Plan& plan, int64_t wanted) {
  plan.lanes = wanted ? std::min(wanted, plan.rows) : choose_lanes(plan);
  if (!wanted && plan.shards <= plan.rows)
    plan.lanes = std::max<int64_t>(plan.lanes / plan.shards, 1) * plan.shards;
  plan.own = plan.own_lanes(plan.rank.number);
  const ByValue<bool> learned = learned_values(plan);
  for (PlanNode& node : plan.nodes) node.laned = is_row_wise(node, plan, learned);
  // A loop runs in lanes as a whole, or not at all.
  ById<PlanLoop, bool> laned(plan.loops.size(), true);
  for (const PlanNode& node : plan.nodes)
    if (node.loop && !node.laned && !is_repeatable(node, plan))
      laned[plan.outermost(node.loop)] = false;
  for (const PlanLoop& loop : plan.loops)  // of what all samples share
    if (loop.begin && plan.nodes[loop.begin].rows.shared)
      laned[plan.outermost(plan.nodes[loop.begin].loop)] = false;
  for (PlanNode& node : plan.nodes)
    if (node.loop) node.laned = laned[plan.outermost(node.loop)];
}

}  // namespace weft

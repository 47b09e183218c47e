#include "framework/plan/differentiate.h"

#include <algorithm>

namespace weft {

namespace {
constexpr int64_t block_elements = 20'000;  // of a weight, learned by one task
constexpr int64_t block_rows = 16;

size_t at(int index) {
  return static_cast<size_t>(index);
}

bool contains(const std::vector<int>& all, int one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// The weights of a node that the phase updates.
std::vector<int> learned(const Plan& plan, const PlanPhase& phase, const PlanNode& node) {
  std::vector<int> weights;
  for (const Weight* weight : node.node->weights) {
    const int index = weight->present() ? plan.weight(node.weights + "." + weight->name) : -1;
    if (index >= 0 && contains(phase.updates, index)) weights.push_back(index);
  }
  return weights;
}

std::vector<Range> blocks_of(const Plan& plan, const std::vector<int>& weights) {
  const int64_t rows = plan.weights[at(weights[0])].shape.rows();
  int64_t elements = 0;
  for (const int weight : weights) {
    const Shape& shape = plan.weights[at(weight)].shape;
    if (shape.rows() != rows || shape.rank() == 0) return {{0, -1}};  // whole: each its own extent
    elements += shape.elements();
  }
  const int64_t count =
      std::max<int64_t>(1, std::min(elements / block_elements, rows / block_rows));
  std::vector<Range> blocks;
  for (int64_t i = 0; i < count; ++i) blocks.push_back({rows * i / count, rows * (i + 1) / count});
  return blocks;
}

// By node: does its backward() run in the phase?
std::vector<bool> runs_backward(const Plan& plan, const PlanPhase& phase) {
  std::vector<bool> runs(plan.nodes.size());
  std::vector<bool> has_grad(plan.values.size());
  has_grad[at(phase.loss)] = phase.wants[at(phase.loss)];
  for (size_t n = plan.nodes.size(); n-- > 0;) {
    const PlanNode& node = plan.nodes[n];
    runs[n] = std::any_of(node.outputs.begin(), node.outputs.end(),
                          [&](int value) { return has_grad[at(value)]; });
    for (size_t i = 0; runs[n] && i < node.inputs.size(); ++i)
      if (input_wants_grad(plan, phase, static_cast<int>(n), i))
        has_grad[at(node.inputs[i])] = true;
  }
  return runs;
}
}  // namespace

std::vector<bool> ancestors(const Plan& plan, const std::vector<int>& values) {
  std::vector<bool> needed(plan.nodes.size());
  for (const int value : values) needed[at(plan.values[at(value)].node)] = true;
  for (size_t n = plan.nodes.size(); n-- > 0;)
    for (const int input : plan.nodes[n].inputs)
      if (needed[n] && input >= 0) needed[at(plan.values[at(input)].node)] = true;
  return needed;
}

bool input_wants_grad(const Plan& plan, const PlanPhase& phase, int node, size_t input) {
  const PlanNode& n = plan.nodes[at(node)];
  return n.inputs[input] >= 0 && n.node->ins[input]->traits.grad &&
         phase.wants[at(n.inputs[input])];
}

void differentiate(const Plan& plan, PlanPhase& phase, Mistakes& mistakes) {
  phase.wants.assign(plan.values.size(), false);
  for (size_t n = 0; n < plan.nodes.size(); ++n) {
    const PlanNode& node = plan.nodes[n];
    bool wants = !learned(plan, phase, node).empty();
    for (size_t i = 0; i < node.inputs.size(); ++i)
      wants = wants || input_wants_grad(plan, phase, static_cast<int>(n), i);
    for (const int value : node.outputs)
      phase.wants[at(value)] = wants && plan.values[at(value)].dtype == DType::f32;
  }
  const auto runs = runs_backward(plan, phase);
  for (size_t n = 0; n < plan.nodes.size(); ++n) {
    const PlanNode& node = plan.nodes[n];
    const auto weights = runs[n] ? learned(plan, phase, node) : std::vector<int>{};
    if (weights.empty()) continue;
    const auto same = std::find_if(phase.learns.begin(), phase.learns.end(),
                                   [&](const PlanLearn& l) { return l.weights == node.weights; });
    if (same != phase.learns.end())
      same->nodes.push_back(static_cast<int>(n));
    else
      phase.learns.push_back({node.weights,
                              {static_cast<int>(n)},
                              weights,
                              blocks_of(plan, weights),
                              node.node->learns_in_lanes()});
  }
  for (const Mention& module : phase.decl->update) {
    const bool reached = std::any_of(phase.learns.begin(), phase.learns.end(), [&](const auto& l) {
      return plan.weights[at(l.plan_weights[0])].module == module.text;
    });
    const bool present = std::any_of(plan.weights.begin(), plan.weights.end(),
                                     [&](const auto& w) { return w.module == module.text; });
    if (present && !reached)
      mistakes.add(module.place, "phase `" + phase.decl->name + "` updates module `" + module.text +
                                     "`, but no gradient of its loss `" +
                                     phase.decl->minimize.text + "` reaches it");
  }
}

std::vector<PlanItem> backward_items(const Plan& plan, const PlanPhase& phase) {
  std::vector<PlanItem> items;
  if (!phase.wants[at(phase.loss)]) return items;
  const auto runs = runs_backward(plan, phase);
  items.push_back({.kind = PlanItem::Kind::seed, .value = phase.loss});
  for (size_t n = plan.nodes.size(); n-- > 0;) {
    if (!runs[n]) continue;
    for (const int value : plan.nodes[n].outputs) {
      int contributions = value == phase.loss ? 1 : 0;
      for (const auto& [reader, input] : plan.values[at(value)].readers)
        if (runs[at(reader)] && input_wants_grad(plan, phase, reader, at(input))) ++contributions;
      if (contributions != 1) items.push_back({.kind = PlanItem::Kind::sum, .value = value});
    }
    items.push_back({.kind = PlanItem::Kind::backward, .node = static_cast<int>(n)});
  }
  return items;
}

}  // namespace weft

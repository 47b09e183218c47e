#include "framework/plan/differentiate.h"

#include <algorithm>

#include "framework/node/optimizer.h"
#include "framework/plan/optimizers.h"

namespace weft {

namespace {
constexpr int64_t block_elements = 20'000;  // elements of a weight that one task learns
constexpr int64_t block_rows = 16;

// The weights of a node that the phase updates.
std::vector<WeightId> learned(const Plan& plan, const PlanPhase& phase, const PlanNode& node) {
  std::vector<WeightId> weights;
  for (const Weight* weight : node.node->host().weights) {
    const WeightId id =
        weight->present() ? plan.weight(node.weights + "." + weight->name) : WeightId();
    if (id && std::count(phase.updates.begin(), phase.updates.end(), id)) weights.push_back(id);
  }
  return weights;
}

// Does the optimizer of any of the weights need it whole?
bool updates_whole(const Plan& plan, const PlanPhase& phase, const std::vector<WeightId>& weights) {
  return std::ranges::any_of(weights, [&](WeightId weight) {
    const PlanOptimizer* const one = optimizer_of(phase, plan.weights[weight].name);
    return one && dynamic_cast<const Optimizer&>(*one->node).whole_weight();
  });
}

std::vector<Range> blocks_of(const Plan& plan, const PlanPhase& phase,
                             const std::vector<WeightId>& weights) {
  const auto spectral = [&](WeightId weight) { return plan.weights[weight].spectral; };
  if (updates_whole(plan, phase, weights) || std::ranges::any_of(weights, spectral))
    return {{0, -1}};  // uncut, each whole
  const int64_t rows = plan.weights[weights[0]].shape.rows();
  int64_t elements = 0;
  for (const WeightId weight : weights) {
    const Shape& shape = plan.weights[weight].shape;
    if (shape.rows() != rows || shape.rank() == 0) return {{0, -1}};
    elements += shape.elements();
  }
  const int64_t count =
      std::max<int64_t>(1, std::min(elements / block_elements, rows / block_rows));
  std::vector<Range> blocks;
  for (int64_t i = 0; i < count; ++i) blocks.push_back({rows * i / count, rows * (i + 1) / count});
  return blocks;
}

// The parts of the gradient, by shard: see PlanLearn.
std::vector<std::vector<size_t>> parts_of(const Plan& plan, const PlanLearn& learn) {
  std::vector<std::vector<size_t>> all;
  const auto laned = [&](NodeId n) { return plan.nodes[n].laned; };
  for (int64_t shard = 0; shard < plan.shards; ++shard) {
    std::vector<size_t>& parts = all.emplace_back();
    const Range lanes = plan.shard_lanes(shard);
    for (const NodeId n : learn.nodes)
      for (int64_t lane = lanes.begin; learn.in_lanes && lane < lanes.end; ++lane)
        if (laned(n) || lane == 0) parts.push_back(plan.part(learn, n, lane));
    if (!learn.in_lanes && (shard == 0 || std::ranges::any_of(learn.nodes, laned)))
      parts.push_back(static_cast<size_t>(shard));
  }
  return all;
}

// The nodes whose backward() runs in the phase.
ByNode<bool> runs_backward(const Plan& plan, const PlanPhase& phase) {
  ByNode<bool> runs(plan.nodes.size());
  ByValue<bool> has_grad(plan.values.size());
  has_grad[phase.loss] = phase.wants[phase.loss];
  for (const NodeId n : plan.nodes.ids().backwards()) {
    const PlanNode& node = plan.nodes[n];
    runs[n] = std::any_of(node.outputs.begin(), node.outputs.end(),
                          [&](ValueId value) { return has_grad[value]; });
    for (size_t i = 0; runs[n] && i < node.inputs.size(); ++i)
      if (input_wants_grad(plan, phase, n, i)) has_grad[node.inputs[i]] = true;
  }
  return runs;
}

// Notes a mistake if a node lacks the backward() or learn() that the phase needs of it.
void refuse_unable(const Plan& plan, const PlanPhase& phase, NodeId n, bool runs,
                   Mistakes& mistakes) {
  const PlanNode& node = plan.nodes[n];
  const auto refuse = [&](const char* what) {  // of a derivative it is not told
    const std::string who = node.path + " (" + node.kind + "): ";
    const ParamBase* const param = node.node->host().param("activation");
    const bool fused = param && param->value() != ParamValue("none");
    const std::string hint =
        fused ? "; its `activation` may be the reason: give that a node of its own" : "";
    const std::string needs = ", which phase `" + phase.decl->name + "` needs";
    mistakes.add(node.make ? Error(node.place, who + "there is no derivative of it" + needs + hint)
                           : Error(node.place, who + "has no " + what + needs, Exit::plugin));
  };
  for (size_t i = 0; runs && !node.has_backward && i < node.inputs.size(); ++i)
    if (input_wants_grad(plan, phase, n, i)) return refuse("backward()");
  if (phase.learn(n) && !node.has_learn) refuse("learn()");
}
// Why no gradient of the loss reaches the module: the loop that lies between, if one does.
std::string blocked(const Plan& plan, const PlanPhase& phase, const std::string& module) {
  const ByNode<bool> above_loss = ancestors(plan, {phase.loss});
  for (const PlanLoop& loop : plan.loops) {
    if (!loop.end || !above_loss[loop.end]) continue;
    const ByNode<bool> within = ancestors(plan, plan.nodes[loop.end].inputs);
    for (const NodeId n : plan.nodes.ids())
      if (within[n] && plan.nodes[n].module == module)
        return "; the loop `" + plan.nodes[loop.end].path +
               "` lies between, which gradients pass with `unroll: true`";
  }
  return "";
}
}  // namespace

ByNode<bool> ancestors(const Plan& plan, const std::vector<ValueId>& values) {
  ByNode<bool> needed(plan.nodes.size());
  for (const ValueId value : values) needed[plan.values[value].node] = true;
  for (const NodeId n : plan.nodes.ids().backwards()) {
    if (!needed[n]) continue;
    for (const ValueId input : plan.nodes[n].inputs)
      if (input) needed[plan.values[input].node] = true;
    if (const LoopId loop = plan.nodes[n].loop; loop) needed[plan.loops[loop].begin] = true;
  }
  return needed;
}

bool input_wants_grad(const Plan& plan, const PlanPhase& phase, NodeId node, size_t input) {
  const PlanNode& n = plan.nodes[node];
  return n.inputs[input] && n.node->host().ins[input]->traits.grad && phase.wants[n.inputs[input]];
}

void differentiate(const Plan& plan, PlanPhase& phase, Mistakes& mistakes) {
  phase.wants.assign(plan.values.size(), false);
  for (const NodeId n : plan.nodes.ids()) {
    const PlanNode& node = plan.nodes[n];
    const auto follows = [&](const PlanFollow& follow) { return follow.module == node.module; };
    if (std::ranges::any_of(plan.follows, follows)) continue;  // it gives no gradient
    bool wants = !learned(plan, phase, node).empty();
    for (size_t i = 0; i < node.inputs.size(); ++i)
      wants = wants || input_wants_grad(plan, phase, n, i);
    for (const ValueId value : node.outputs)
      phase.wants[value] = wants && plan.values[value].dtype == DType::f32;
  }
  const auto runs = runs_backward(plan, phase);
  for (const NodeId n : plan.nodes.ids()) {
    const PlanNode& node = plan.nodes[n];
    const auto weights = runs[n] ? learned(plan, phase, node) : std::vector<WeightId>{};
    if (weights.empty()) continue;
    const auto same = std::find_if(phase.learns.begin(), phase.learns.end(),
                                   [&](const PlanLearn& l) { return l.weights == node.weights; });
    if (same != phase.learns.end())
      same->nodes.push_back(n);
    else
      phase.learns.push_back({node.weights,
                              {n},
                              weights,
                              blocks_of(plan, phase, weights),
                              node.node->learns_in_lanes()});
  }
  for (PlanLearn& learn : phase.learns) learn.parts = parts_of(plan, learn);
  for (const NodeId n : plan.nodes.ids()) refuse_unable(plan, phase, n, runs[n], mistakes);
  for (const Mention& module : phase.decl->update) {
    const bool reached = std::any_of(phase.learns.begin(), phase.learns.end(), [&](const auto& l) {
      return plan.weights[l.learned[0]].module == module.text;
    });
    const bool present = std::any_of(plan.weights.begin(), plan.weights.end(),
                                     [&](const auto& w) { return w.module == module.text; });
    if (present && !reached)
      mistakes.add(module.place, "phase `" + phase.decl->name + "` updates module `" + module.text +
                                     "`, but no gradient of its loss `" +
                                     phase.decl->minimize.text + "` reaches it" +
                                     blocked(plan, phase, module.text));
  }
}

std::vector<PlanItem> backward_items(const Plan& plan, const PlanPhase& phase) {
  std::vector<PlanItem> items;
  if (!phase.wants[phase.loss]) return items;
  const auto runs = runs_backward(plan, phase);
  items.push_back({.kind = PlanItem::Kind::seed, .value = phase.loss});
  for (const NodeId n : plan.nodes.ids().backwards()) {
    if (!runs[n]) continue;
    for (const ValueId value : plan.nodes[n].outputs) {
      int contributions = value == phase.loss ? 1 : 0;
      for (const auto& [reader, input] : plan.values[value].readers)
        if (runs[reader] && input_wants_grad(plan, phase, reader, input)) ++contributions;
      if (contributions != 1) items.push_back({.kind = PlanItem::Kind::sum, .value = value});
    }
    if (plan.summarizes(n, Pass::backward))
      for (const auto kind : {PlanItem::Kind::summarize, PlanItem::Kind::join})
        items.push_back({.kind = kind, .node = n, .pass = Pass::backward});
    items.push_back({.kind = PlanItem::Kind::backward, .node = n});
  }
  return items;
}

}  // namespace weft

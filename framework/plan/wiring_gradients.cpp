// Wires a value that is a gradient: the backward half of some nodes, as nodes of the forward one.
#include <algorithm>
#include <map>

#include "framework/language/fields.h"
#include "framework/node/host.h"
#include "framework/plan/gradient_nodes.h"
#include "framework/plan/wiring.h"

namespace weft {

namespace {
// Would backward() write a gradient for this input, if there was one?
bool takes_gradient(const Plan& plan, const PlanNode& node, size_t input) {
  const ValueId value = node.inputs[input];
  return value && plan.values[value].dtype == DType::f32 &&
         node.node->host().ins[input]->traits.grad;
}

// The values that depend on x through inputs that pass.
ByValue<bool> depending(const Plan& plan, ValueId x, const auto& passes) {
  ByValue<bool> below(plan.values.size());
  below[x] = true;
  for (const PlanNode& node : plan.nodes)
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (node.inputs[i] && below[node.inputs[i]] && passes(plan, node, i))
        for (const ValueId value : node.outputs) below[value] = true;
  return below;
}

// The values on which the score depends through inputs that pass.
ByValue<bool> leading(const Plan& plan, ValueId score, const auto& passes) {
  ByValue<bool> above(plan.values.size());
  above[score] = true;
  for (const NodeId n : plan.nodes.ids().backwards()) {
    const PlanNode& node = plan.nodes[n];
    if (std::ranges::none_of(node.outputs, [&](ValueId value) { return above[value]; })) continue;
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (node.inputs[i] && passes(plan, node, i)) above[node.inputs[i]] = true;
  }
  return above;
}
}  // namespace

struct Wiring::Gradient {
  const NodeDecl& decl;
  const Scope& scope;
  ByNode<bool> on_path;                             // from x to the score
  ByValue<bool> below;                              // values on it, which depend on x
  std::map<ValueId, std::vector<ValueId>> parts{};  // the gradients that readers of a value leave
  std::string path(const std::string& of) const {
    return scope.path + decl.name + (of.empty() ? "" : "." + of);
  }
};

Wiring::Outputs Wiring::wire_gradient(Scope& scope, const NodeDecl& decl) {
  const auto& [of, by] = *decl.gradient;
  if (of.text.empty() || by.text.empty()) throw Skip{};  // reported already
  const ValueId score = resolve(scope, of.text, of.place), x = resolve(scope, by.text, by.place);
  for (const auto& [value, mention] : {std::pair{score, of}, {x, by}}) {
    if (!value) throw Error(mention.place, "an optional input that is not wired has no gradient");
    const PlanValue& v = plan_.values[value];
    if (v.dtype != DType::f32 || v.shape.rank() == 0)
      throw Error(mention.place, ticked(mention.text) + " is " + v.shape.str() + " of " +
                                     weft::name(v.dtype) + ", but must be [batch, ...] of f32");
  }
  Gradient gradient{decl, scope, ByNode<bool>(plan_.nodes.size()), {}};
  find_path(gradient, score, x);
  refuse_loops(gradient, score, x);
  if (!gradient.below[score])
    throw Error(of.place, "no gradient of " + ticked(of.text) + " reaches " + ticked(by.text));
  gradient.parts[score] = {
      add_derived(gradient, "", "ones", [] { return std::make_unique<Ones>(); }, {score})};
  for (const NodeId n : gradient.on_path.ids().backwards())
    if (gradient.on_path[n]) derive(gradient, n);
  return {{"y", sum_of(gradient, x)}};
}

// Marks the nodes between x and the score.
void Wiring::find_path(Gradient& gradient, ValueId score, ValueId x) const {
  gradient.below = depending(plan_, x, takes_gradient);
  const ByValue<bool> above = leading(plan_, score, takes_gradient);
  for (const NodeId n : plan_.nodes.ids()) {
    const auto leads = [&](ValueId value) { return above[value]; };
    gradient.on_path[n] = std::ranges::any_of(inputs_below(gradient, n), std::identity()) &&
                          std::ranges::any_of(plan_.nodes[n].outputs, leads);
  }
}

// A loop between x and the score would be left out of the derivative.
void Wiring::refuse_loops(const Gradient& gradient, ValueId score, ValueId x) const {
  const auto passes = [](const Plan& plan, const PlanNode& node, size_t input) {  // if it could
    return node.kind == "loop" || takes_gradient(plan, node, input);
  };
  const ByValue<bool> below = depending(plan_, x, passes), above = leading(plan_, score, passes);
  for (const PlanNode& node : plan_.nodes)
    for (const ValueId input : node.inputs)
      if (node.kind == "loop" && input && below[input] && above[input] &&
          std::ranges::any_of(node.outputs, [&](ValueId value) { return above[value]; }))
        throw Error(gradient.decl.place,
                    "no gradient passes a loop, but " + ticked(gradient.decl.gradient->of.text) +
                        " depends on " + ticked(gradient.decl.gradient->by.text) + " through " +
                        ticked(node.path));
}

// Does x lie above an input of the node, and a gradient flow through it?
std::vector<bool> Wiring::inputs_below(const Gradient& gradient, NodeId n) const {
  const PlanNode& node = plan_.nodes[n];
  std::vector<bool> below;
  for (size_t i = 0; i < node.inputs.size(); ++i)
    below.push_back(takes_gradient(plan_, node, i) && gradient.below[node.inputs[i]]);
  return below;
}

ValueId Wiring::add_derived(const Gradient& gradient, const std::string& of,
                            const std::string& kind,
                            const std::function<std::unique_ptr<Node>()>& make,
                            const std::vector<ValueId>& inputs) {
  return add_own(gradient.scope,
                 {.path = gradient.path(of),
                  .kind = kind,
                  .place = gradient.decl.place,
                  .has_backward = true,
                  .make = make},
                 inputs)
      .front()
      .second;
}

ValueId Wiring::sum_of(Gradient& gradient, ValueId value) {
  std::vector<ValueId>& parts = gradient.parts[value];
  if (parts.size() > 1)
    parts = {add_derived(
        gradient, plan_.values[value].path + ".sum", "gradient sum",
        [count = parts.size()] { return std::make_unique<GradientSum>(count); }, parts)};
  return parts.front();
}

// In training a node leaves values for its backward(): it does so elsewhere, too, if its derivative
// is there, but behaves as if it did not learn.
void Wiring::remember(NodeId n) {
  PlanNode& node = plan_.nodes[n];
  if (plan_.mode != Mode::train) {
    node.setting.mode = Mode::train, node.setting.frozen = true;
    node.node->host().setting = node.setting;
  }
  if (!node.remembered.empty()) return;
  for (const Saved* saved : node.node->host().saved)
    node.remembered.push_back(
        !Host::present(*saved)
            ? ValueId()
            : plan_.values.add({.path = node.path + "." + saved->name + " (saved)",
                                .shape = Host::shape(*saved),
                                .dtype = saved->dtype,
                                .rows = node.rows,
                                .node = n}));
}

// What the derivative of a node is about, and adds the values that it takes to `inputs`: what the
// node read, wrote and saved.
std::shared_ptr<DerivativeOf> Wiring::described(const Gradient& gradient, NodeId n,
                                                std::vector<ValueId>& inputs) const {
  const PlanNode& node = plan_.nodes[n];
  const Host& host = node.node->host();
  const bool linear = node.node->twice() == Twice::linear;
  const bool twice = node.node->twice() == Twice::yes;  // backward_twice() reads all there is
  const std::vector<bool> below = inputs_below(gradient, n);
  const auto of = std::make_shared<DerivativeOf>();
  of->make = [plan = &plan_, registry = &registry_, n] { return plan->bare(*registry, n); };
  of->setting = node.setting;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    DerivativeOf::Input& in = of->ins.emplace_back();
    if (!node.inputs[i]) continue;
    const PlanValue& value = plan_.values[node.inputs[i]];
    in = {true, twice || Host::kept(*host.ins[i]), below[i], value.shape, value.rows, value.dtype};
    of->sums = of->sums || (below[i] && value.rows.shared && !node.rows.shared);
    in.grad = !linear && takes_gradient(plan_, node, i);
    if (in.taken()) inputs.push_back(node.inputs[i]);
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const ValueId value = node.outputs[i];
    of->outs.push_back({Host::kept(*host.outs[i]), gradient.parts.contains(value),
                        plan_.values[value].shape, plan_.values[value].rows});
    if (of->outs.back().read) inputs.push_back(value);
  }
  for (const ValueId value : node.remembered) {
    of->saved.push_back(bool(value));
    if (value) inputs.push_back(value);
  }
  return of;
}

// Adds the derivative of a node: of its outputs that have a gradient, by its inputs on the path.
void Wiring::derive(Gradient& gradient, NodeId n) {
  const auto of_node = [&]() -> const PlanNode& { return plan_.nodes[n]; };  // added nodes move it
  if (!of_node().has_backward)
    throw Error(gradient.decl.place, of_node().path + " (" + of_node().kind +
                                         "): has no backward(), which `gradient` needs");
  remember(n);
  std::vector<ValueId> inputs;
  const auto of = described(gradient, n, inputs);
  for (size_t i = 0; i < of->outs.size(); ++i)
    if (of->outs[i].on_path) inputs.push_back(sum_of(gradient, of_node().outputs[i]));
  const PlanNode& node = of_node();
  const Twice twice = node.node->twice();
  const Outputs made = add_own(gradient.scope,
                               {.path = gradient.path(node.path),
                                .kind = "gradient of " + node.kind,
                                .place = gradient.decl.place,
                                .module = node.module,
                                .weights = node.weights,
                                .params = node.params,
                                .derived_from = n,
                                .has_backward = twice != Twice::no,
                                .has_learn = twice == Twice::yes && node.has_learn,
                                .make = [of] { return std::make_unique<Derivative>(of); }},
                               inputs);
  for (size_t i = 0, next = 0; i < of->ins.size(); ++i)
    if (of->ins[i].on_path) {
      const ValueId grad = made[next++].second;
      plan_.values[grad].rows = of->ins[i].rows;
      gradient.parts[of_node().inputs[i]].push_back(grad);
    }
}

}  // namespace weft

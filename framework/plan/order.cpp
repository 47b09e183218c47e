#include "framework/plan/order.h"

#include <algorithm>

#include "framework/plan/differentiate.h"

namespace weft {

namespace {
constexpr size_t none = static_cast<size_t>(-1);
}  // namespace

ItemIndex::ItemIndex(const Plan& plan, const PlanPhase& phase)
    : plan_(plan),
      phase_(phase),
      observe_(plan.nodes.size(), none),
      forward_(plan.nodes.size(), none),
      backward_(plan.nodes.size(), none),
      grad_(plan.values.size(), none) {}

void ItemIndex::add(const PlanItem& item, size_t position) {
  switch (item.kind) {
    case PlanItem::Kind::observe: observe_[item.node] = position; break;
    case PlanItem::Kind::forward: forward_[item.node] = position; break;
    case PlanItem::Kind::backward: backward_[item.node] = position; break;
    case PlanItem::Kind::seed:
    case PlanItem::Kind::sum: grad_[item.value] = position; break;
  }
}

void ItemIndex::gather(size_t position, std::vector<size_t>& out) const {
  if (position != none) out.push_back(position);
}

// Gathers the backward items of the readers that write a gradient for the value.
void ItemIndex::gather_readers(ValueId value, std::vector<size_t>& out) const {
  for (const auto& [reader, input] : plan_.values[value].readers)
    if (input_wants_grad(plan_, phase_, reader, input)) gather(backward_[reader], out);
}

void ItemIndex::gather_inputs(NodeId node, std::vector<size_t>& out) const {
  for (const ValueId input : plan_.nodes[node].inputs)
    if (input) gather(forward_[plan_.values[input].node], out);
}

// Gathers the earlier uses of the node's states: uses of one module take turns, in the plan's
// order.
void ItemIndex::gather_earlier_uses(NodeId node, std::vector<size_t>& out) const {
  if (plan_.nodes[node].node->host().states.empty()) return;
  for (const NodeId other : plan_.nodes.ids())
    if (other < node && plan_.nodes[other].weights == plan_.nodes[node].weights)
      gather(forward_[other], out);
}

std::vector<size_t> ItemIndex::needs(const PlanItem& item) const {
  std::vector<size_t> out;
  switch (item.kind) {
    case PlanItem::Kind::observe:
      if (plan_.nodes[item.node].node->observes() == Observes::batch) gather_inputs(item.node, out);
      gather_earlier_uses(item.node, out);
      break;
    case PlanItem::Kind::forward:
      gather_inputs(item.node, out);
      gather_earlier_uses(item.node, out);
      gather(observe_[item.node], out);
      break;
    case PlanItem::Kind::seed: gather(forward_[plan_.values[item.value].node], out); break;
    case PlanItem::Kind::sum:
      gather(grad_[phase_.loss], out);  // the backward half starts with the seed
      gather(grad_[item.value], out);
      gather_readers(item.value, out);
      break;
    case PlanItem::Kind::backward:
      gather(forward_[item.node], out);
      for (const ValueId value : plan_.nodes[item.node].outputs) {
        gather(grad_[value], out);
        gather_readers(value, out);
      }
      break;
  }
  return out;
}

std::vector<size_t> ItemIndex::readers(const std::string& weights) const {
  std::vector<size_t> out;
  for (const NodeId n : plan_.nodes.ids()) {
    if (plan_.nodes[n].weights != weights) continue;
    gather(forward_[n], out);
    gather(backward_[n], out);
  }
  return out;
}

std::vector<PlanItem> staged(const Plan& plan, const PlanPhase& phase,
                             std::vector<PlanItem> items) {
  ItemIndex index(plan, phase);
  for (size_t i = 0; i < items.size(); ++i) {
    PlanItem& item = items[i];
    const NodeId node = item.node ? item.node : plan.values[item.value].node;
    const bool observe = item.kind == PlanItem::Kind::observe;
    item.laned = plan.nodes[node].laned && !observe;
    item.stage = item.laned ? 0 : observe ? -1 : 1;
    for (const size_t before : index.needs(item)) {
      const int stage = items[before].stage;
      item.stage = std::max(item.stage, item.laned ? stage + stage % 2 : stage | 1);
    }
    index.add(item, i);
  }
  std::stable_sort(items.begin(), items.end(),
                   [](const PlanItem& a, const PlanItem& b) { return a.stage < b.stage; });
  return items;
}

}  // namespace weft

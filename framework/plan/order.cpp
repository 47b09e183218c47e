#include "framework/plan/order.h"

#include <algorithm>

#include "framework/plan/differentiate.h"

namespace weft {

namespace {
constexpr size_t none = static_cast<size_t>(-1);

size_t at(int index) {
  return static_cast<size_t>(index);
}
}  // namespace

ItemIndex::ItemIndex(const Plan& plan, const PlanPhase& phase)
    : plan_(plan),
      phase_(phase),
      forward_(plan.nodes.size(), none),
      backward_(plan.nodes.size(), none),
      grad_(plan.values.size(), none) {}

void ItemIndex::add(const PlanItem& item, size_t position) {
  switch (item.kind) {
    case PlanItem::Kind::forward: forward_[at(item.node)] = position; break;
    case PlanItem::Kind::backward: backward_[at(item.node)] = position; break;
    case PlanItem::Kind::seed:
    case PlanItem::Kind::sum: grad_[at(item.value)] = position; break;
  }
}

void ItemIndex::gather(size_t position, std::vector<size_t>& out) const {
  if (position != none) out.push_back(position);
}

// The readers of a value that write a gradient for it.
void ItemIndex::gather_readers(int value, std::vector<size_t>& out) const {
  for (const auto& [reader, input] : plan_.values[at(value)].readers)
    if (input_wants_grad(plan_, phase_, reader, at(input))) gather(backward_[at(reader)], out);
}

std::vector<size_t> ItemIndex::needs(const PlanItem& item) const {
  std::vector<size_t> out;
  switch (item.kind) {
    case PlanItem::Kind::forward: {
      const PlanNode& node = plan_.nodes[at(item.node)];
      for (const int input : node.inputs)
        if (input >= 0) gather(forward_[at(plan_.values[at(input)].node)], out);
      for (int other = 0; other < item.node && !node.node->states.empty(); ++other)
        if (plan_.nodes[at(other)].weights == node.weights) gather(forward_[at(other)], out);
      break;
    }
    case PlanItem::Kind::seed: gather(forward_[at(plan_.values[at(item.value)].node)], out); break;
    case PlanItem::Kind::sum:
      gather(grad_[at(phase_.loss)], out);  // nothing of the backward half comes before the seed
      gather(grad_[at(item.value)], out);
      gather_readers(item.value, out);
      break;
    case PlanItem::Kind::backward:
      gather(forward_[at(item.node)], out);
      for (const int value : plan_.nodes[at(item.node)].outputs) {
        gather(grad_[at(value)], out);
        gather_readers(value, out);
      }
      break;
  }
  return out;
}

std::vector<size_t> ItemIndex::readers(const std::string& weights) const {
  std::vector<size_t> out;
  for (size_t n = 0; n < plan_.nodes.size(); ++n) {
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
    const int node = item.node >= 0 ? item.node : plan.values[at(item.value)].node;
    item.laned = plan.nodes[at(node)].laned;
    item.stage = item.laned ? 0 : 1;
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

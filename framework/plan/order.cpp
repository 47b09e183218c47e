#include "framework/plan/order.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "framework/plan/differentiate.h"

namespace weft {

namespace {
constexpr size_t none = static_cast<size_t>(-1);

size_t at(Pass pass) {
  return pass == Pass::backward;
}
}  // namespace

ItemIndex::ItemIndex(const Plan& plan, const PlanPhase& phase)
    : plan_(plan),
      phase_(phase),
      observe_(plan.nodes.size(), none),
      forward_(plan.nodes.size(), none),
      backward_(plan.nodes.size(), none),
      summarize_(plan.nodes.size(), {none, none}),
      join_(plan.nodes.size(), {none, none}),
      grad_(plan.values.size(), none) {}

void ItemIndex::add(const PlanItem& item, size_t position) {
  switch (item.kind) {
    case PlanItem::Kind::observe: observe_[item.node] = position; break;
    case PlanItem::Kind::summarize: summarize_[item.node][at(item.pass)] = position; break;
    case PlanItem::Kind::join: join_[item.node][at(item.pass)] = position; break;
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

// Gathers the uses of the node's states before `end`: uses of one module take turns, in the plan's
// order.
void ItemIndex::gather_uses(NodeId node, NodeId end, std::vector<size_t>& out) const {
  if (plan_.nodes[node].node->host().states.empty()) return;
  for (const NodeId other : plan_.nodes.ids())
    if (other < end && plan_.nodes[other].weights == plan_.nodes[node].weights)
      gather(forward_[other], out), gather(observe_[other], out);
}

void ItemIndex::gather_forward(NodeId node, std::vector<size_t>& out) const {
  gather_inputs(node, out);
  gather_uses(node, node, out);
  gather(observe_[node], out);
  if (const NodeId from = plan_.nodes[node].derived_from) gather(forward_[from], out);
}

void ItemIndex::gather_backward(NodeId node, std::vector<size_t>& out) const {
  gather(forward_[node], out);
  gather_uses(node, NodeId(plan_.nodes.size()), out);
  for (const ValueId value : plan_.nodes[node].outputs) {
    gather(grad_[value], out);
    gather_readers(value, out);
  }
}

std::vector<size_t> ItemIndex::needs(const PlanItem& item) const {
  std::vector<size_t> out;
  switch (item.kind) {
    case PlanItem::Kind::observe:
      if (plan_.nodes[item.node].node->observes() == Observes::batch) gather_inputs(item.node, out);
      gather_uses(item.node, item.node, out);
      break;
    case PlanItem::Kind::summarize:
      item.pass == Pass::forward ? gather_forward(item.node, out) : gather_backward(item.node, out);
      break;
    case PlanItem::Kind::join: gather(summarize_[item.node][at(item.pass)], out); break;
    case PlanItem::Kind::forward:
      gather_forward(item.node, out);
      gather(join_[item.node][at(Pass::forward)], out);
      break;
    case PlanItem::Kind::seed: gather(forward_[plan_.values[item.value].node], out); break;
    case PlanItem::Kind::sum:
      gather(grad_[phase_.loss], out);  // the backward half starts with the seed
      gather(grad_[item.value], out);
      gather_readers(item.value, out);
      break;
    case PlanItem::Kind::backward:
      gather_backward(item.node, out);
      gather(join_[item.node][at(Pass::backward)], out);
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

namespace {
// The nodes, in an order in which they can run and each loop is one piece. Nodes that the body of a
// loop reads may have been wired in the midst of it: they come before.
class Pieces {
 public:
  explicit Pieces(const Plan& plan) : plan_(plan) {
    std::vector<NodeId> all;
    for (const NodeId n : plan.nodes.ids()) all.push_back(n);
    add(all, LoopId());
  }
  const std::vector<NodeId>& nodes() const { return nodes_; }

 private:
  void add(const std::vector<NodeId>& some, LoopId around) {
    std::map<LoopId, std::vector<NodeId>> bodies;  // of the loops inside
    for (const NodeId n : some) {
      LoopId inner = plan_.nodes[n].loop;
      if (inner == around) {
        nodes_.push_back(n);
        continue;
      }
      while (plan_.loops[inner].outer != around) inner = plan_.loops[inner].outer;
      bodies[inner].push_back(n);
      if (n == plan_.loops[inner].end) add(bodies[inner], inner);
    }
  }

  const Plan& plan_;
  std::vector<NodeId> nodes_;
};

// Gives each item its stage, those of a loop one together, and sorts them by it.
std::vector<PlanItem> staged(const Plan& plan, const PlanPhase& phase,
                             std::vector<PlanItem> items) {
  ItemIndex index(plan, phase);
  for (size_t begin = 0, end = 0; begin < items.size(); begin = end) {
    const LoopId loop = plan.outermost(items[begin].loop);
    for (end = begin + 1;
         loop && end < items.size() &&
         (items[end].kind == PlanItem::Kind::observe || plan.outermost(items[end].loop) == loop);)
      ++end;
    int together = 0;
    for (size_t i = begin; i < end; ++i) {
      PlanItem& item = items[i];
      const NodeId node = item.node ? item.node : plan.values[item.value].node;
      const bool observe = item.kind == PlanItem::Kind::observe;
      item.laned = plan.nodes[node].laned && !observe && item.kind != PlanItem::Kind::join;
      item.stage = item.laned ? 0 : observe ? -1 : 1;
      for (const size_t before : index.needs(item)) {
        const int stage = items[before].stage;
        item.stage = std::max(item.stage, item.laned ? stage + stage % 2 : stage | 1);
      }
      if (observe) index.add(item, i);
      if (!observe) together = std::max(together, item.stage);
    }
    for (size_t i = begin; i < end; ++i) {
      if (items[i].kind == PlanItem::Kind::observe) continue;
      items[i].stage = together;
      index.add(items[i], i);
    }
  }
  std::stable_sort(items.begin(), items.end(),
                   [](const PlanItem& a, const PlanItem& b) { return a.stage < b.stage; });
  return items;
}

// A loop runs as a whole: marks all nodes of the loops of which one is marked.
void mark_loops(const Plan& plan, ByNode<bool>& marked) {
  const auto& nodes = plan.nodes;
  std::set<LoopId> loops;
  for (const NodeId n : nodes.ids())
    if (marked[n] && nodes[n].loop) loops.insert(plan.outermost(nodes[n].loop));
  for (const NodeId n : nodes.ids())
    if (nodes[n].loop && loops.contains(plan.outermost(nodes[n].loop))) marked[n] = true;
}
}  // namespace

std::vector<std::vector<PlanItem>> program_of(const Plan& plan, const std::vector<bool>& active) {
  const auto& [nodes, phases] = std::tie(plan.nodes, plan.phases);
  std::vector<std::vector<PlanItem>> program(phases.size());
  const Pieces pieces(plan);
  ByNode<bool> once(nodes.size());
  for (const NodeId n : nodes.ids()) once[n] = nodes[n].writes();
  mark_loops(plan, once);
  ByNode<bool> computed(nodes.size());
  std::set<std::string> observed;  // nodes of modules, whose weights all their uses share
  if (plan.data) computed[plan.data] = true;  // read ahead
  const auto last = std::find(active.rbegin(), active.rend(), true).base() - active.begin() - 1;
  for (size_t p = 0; p < phases.size(); ++p) {
    if (!active[p]) continue;
    std::vector<ValueId> wanted;
    if (phases[p].loss) wanted.push_back(phases[p].loss);
    if (static_cast<std::ptrdiff_t>(p) == last) {
      for (const auto& [name, value] : plan.reports) wanted.push_back(value);
      wanted.insert(wanted.end(), plan.writes.begin(), plan.writes.end());
    }
    const auto needs = ancestors(plan, wanted);
    for (const NodeId n : pieces.nodes()) {
      if ((phases[p].loss ? needs[n] : plan.needed[n]) && !computed[n]) {
        if (plan.observes(n) && (nodes[n].node->observes() == Observes::batch ||
                                 observed.insert(nodes[n].weights).second))
          program[p].push_back({.kind = PlanItem::Kind::observe, .node = n});
        if (plan.summarizes(n, Pass::forward))
          for (const auto kind : {PlanItem::Kind::summarize, PlanItem::Kind::join})
            program[p].push_back({.kind = kind, .node = n, .loop = plan.nodes[n].loop});
        program[p].push_back(
            {.kind = PlanItem::Kind::forward, .node = n, .loop = plan.nodes[n].loop});
        computed[n] = true;
      }
    }
    if (phases[p].loss)
      for (const PlanItem& item : backward_items(plan, phases[p])) program[p].push_back(item);
    program[p] = staged(plan, phases[p], std::move(program[p]));
    ByNode<bool> changed(nodes.size());
    for (const NodeId n : nodes.ids()) {
      if (once[n]) continue;
      for (const Weight* weight : nodes[n].node->host().weights)
        for (const WeightId update : phases[p].updates)
          if (plan.weights[update].name == nodes[n].weights + "." + weight->name) changed[n] = true;
      for (const ValueId input : nodes[n].inputs)
        if (input && changed[plan.values[input].node]) changed[n] = true;
    }
    mark_loops(plan, changed);
    for (const NodeId n : nodes.ids()) computed[n] = computed[n] && !changed[n];
  }
  return program;
}

}  // namespace weft

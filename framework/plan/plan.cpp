#include "framework/plan/plan.h"

#include <algorithm>
#include <numeric>

#include "framework/node/measure.h"
#include "framework/plan/blame.h"
#include "framework/plan/differentiate.h"
#include "framework/plan/optimizers.h"
#include "framework/plan/sample_order.h"

namespace weft {

const char* name(Mode mode) {
  return mode == Mode::train ? "train" : mode == Mode::evaluate ? "evaluate" : "generate";
}

const Source* Plan::source() const {
  return data ? dynamic_cast<const Source*>(nodes[data].node.get()) : nullptr;
}

int64_t Plan::steps_per_epoch() const {
  return source() ? SampleOrder(*source()).batches() : 1;
}

Range Plan::lane_rows(const PlanRows& of, int64_t lane) const {
  if (of.shared) return {0, of.each};
  return {of.each * (rows * lane / lanes), of.each * (rows * (lane + 1) / lanes)};
}

WeightId Plan::weight(const std::string& name) const {
  for (const WeightId w : weights.ids())
    if (weights[w].name == name) return w;
  return {};
}

std::optional<size_t> PlanLearn::use(NodeId node) const {
  const auto found = std::find(nodes.begin(), nodes.end(), node);
  if (found == nodes.end()) return std::nullopt;
  return static_cast<size_t>(found - nodes.begin());
}

size_t PlanLearn::shares() const {
  if (!in_lanes) return std::min<size_t>(nodes.size(), 2);
  return std::accumulate(parts.begin(), parts.end(), size_t{0});
}

size_t PlanLearn::first_share(NodeId node) const {
  return std::accumulate(parts.begin(), parts.begin() + static_cast<ptrdiff_t>(*use(node)),
                         size_t{0});
}

NodeId Plan::measure(size_t report) const {
  const NodeId node = values[reports[report].second].node;
  return dynamic_cast<const Measure*>(nodes[node].node.get()) ? node : NodeId();
}

const PlanLearn* PlanPhase::learn(NodeId node) const {
  const auto found = std::find_if(learns.begin(), learns.end(), [&](const PlanLearn& learn) {
    return learn.use(node).has_value();
  });
  return found == learns.end() ? nullptr : &*found;
}

std::unique_ptr<Node> Plan::bare(const Registry& registry, NodeId n) const {
  const PlanNode& from = nodes[n];
  std::unique_ptr<Node> node = from.make ? from.make() : registry.make(from.kind);
  for (size_t i = 0; i < from.lists.size(); ++i)
    Host::resize(*node->host().lists[i], *node, from.lists[i]);
  from.params.give_to(*node);
  node->host().setting = from.setting;
  return node;
}

std::unique_ptr<Node> Plan::instance(const Registry& registry, NodeId n) const {
  const PlanNode& from = nodes[n];
  std::unique_ptr<Node> node = bare(registry, n);
  for (size_t i = 0; i < from.inputs.size(); ++i)
    if (const ValueId input = from.inputs[i])
      Host::wire(*node->host().ins[i], values[input].shape, values[input].dtype, true);
  try {
    const Running now(from.path.c_str(), from.kind.c_str(), "infer()");
    node->infer();
  } catch (...) {
    throw blame(from.place, who(from), "infer()", wires(*this, from, node->host()));
  }
  return node;
}

const PlanOptimizer& Plan::optimizer(const PlanPhase& phase, WeightId weight) const {
  return *optimizer_of(phase, weights[weight].name);
}

std::vector<std::string> Plan::followers(const std::string& weights) const {
  std::vector<std::string> all;
  for (const PlanFollow& follow : this->follows)
    if (weights.starts_with(follow.leader + "."))
      all.push_back(follow.module + weights.substr(follow.leader.size()));
  return all;
}

bool Plan::within(LoopId inner, LoopId loop) const {
  while (inner && inner != loop) inner = loops[inner].outer;
  return static_cast<bool>(inner);
}

LoopId Plan::outermost(LoopId loop) const {
  while (loop && loops[loop].outer) loop = loops[loop].outer;
  return loop;
}

int64_t Plan::turns(NodeId node) const {
  int64_t turns = 1;
  for (LoopId loop = nodes[node].loop; loop; loop = loops[loop].outer) turns *= loops[loop].times;
  return turns;
}

size_t Plan::weight_bytes() const {
  size_t total = 0;
  for (const PlanWeight& weight : weights)
    total +=
        static_cast<size_t>(weight.shape.elements()) * sizeof(float) * (weight.spectral ? 2 : 1);
  return total;
}

size_t Plan::bytes() const {
  size_t total = arena + static_cast<size_t>(lanes) * workspace + weight_bytes();
  for (const PlanPhase& phase : phases)
    for (const WeightId w : phase.updates) {
      const size_t size = static_cast<size_t>(weights[w].shape.elements()) * sizeof(float);
      total += size * (1 + optimizer(phase, w).node->host().slots.size() +
                       (phase.decl->accumulate > 1 ? 1 : 0));
    }
  for (const PlanPhase& phase : phases)
    for (const PlanLearn& learn : phase.learns)
      for (const WeightId w : learn.learned)
        if (const size_t shares = learn.shares(); shares > 1)
          total += (shares - 1) * static_cast<size_t>(weights[w].shape.elements()) * sizeof(float);
  return total;
}

bool Plan::observes(NodeId node) const {
  return mode == Mode::train && !nodes[node].setting.frozen &&
         nodes[node].node->observes() != Observes::nothing;
}

std::vector<std::string> Plan::notes() const {
  std::vector<std::string> all;
  for (const PlanNode& node : nodes)
    for (const std::string& note : node.node->notes())
      all.push_back(std::string(weft::name(mode)) + "/" + node.path + ": " + note);
  return all;
}

double Plan::backward_flops(const PlanPhase& phase, NodeId node) const {
  bool wants = false;
  for (size_t i = 0; i < nodes[node].inputs.size(); ++i)
    wants = wants || input_wants_grad(*this, phase, node, i);
  const Node& own = *nodes[node].node;
  return wants ? own.flops() * (own.host().weights.empty() ? 2 : 1) : 0;
}

double Plan::step_flops() const {
  double flops = 0;
  for (const PlanPhase& phase : phases)
    for (const PlanItem& item : phase.items) {
      if (!item.node) continue;
      const double forward = nodes[item.node].node->flops();
      if (item.kind == PlanItem::Kind::forward)
        flops += forward * static_cast<double>(turns(item.node));
      if (item.kind == PlanItem::Kind::backward)
        flops += backward_flops(phase, item.node) + (phase.learn(item.node) ? forward : 0);
    }
  return flops;
}

}  // namespace weft

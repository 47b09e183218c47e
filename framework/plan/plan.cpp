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

Range Plan::rows_of(const PlanRows& of, Range some) const {
  if (of.shared) return {0, of.each};
  return {of.each * (rows * some.begin / lanes), of.each * (rows * some.end / lanes)};
}

Range Plan::shard_lanes(int64_t shard) const {
  return {lanes * shard / shards, lanes * (shard + 1) / shards};
}

Range Plan::own_shards(int64_t of) const {
  return {shards * of / rank.count, shards * (of + 1) / rank.count};
}

// Of few rows, as `evaluate` may have, some processes run none.
Range Plan::own_lanes(int64_t of) const {
  if (lanes % shards != 0) return {lanes * of / rank.count, lanes * (of + 1) / rank.count};
  const Range some = own_shards(of);
  return {shard_lanes(some.begin).begin, shard_lanes(some.end).begin};
}

Range Plan::kept_rows(const PlanBuffer& buffer) const {
  return buffer.whole ? Range{0, buffer.shape.rows()} : rows_of(buffer.rows, own);
}

size_t Plan::size(const PlanBuffer& buffer) const {
  return static_cast<size_t>(kept_rows(buffer).size() * buffer.shape.row_elements()) *
         weft::bytes(buffer.dtype);
}

size_t Plan::part(const PlanLearn& learn, NodeId node, int64_t lane) const {
  return *learn.use(node) * static_cast<size_t>(lanes) + static_cast<size_t>(lane);
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

size_t Plan::gradients(const PlanLearn& learn) const {
  const Range own = own_shards();
  size_t count = learn.nodes.size() > 1 && !learn.in_lanes ? 1 : 0;
  for (int64_t shard = own.begin; shard < own.end; ++shard)
    count += learn.parts[static_cast<size_t>(shard)].size();
  return std::max<size_t>(count, 1);
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
      const auto sums = static_cast<size_t>(phase.decl->accumulate > 1 ? own_shards().size() : 0);
      total += size * (1 + optimizer(phase, w).node->host().slots.size() + sums);
    }
  for (const PlanPhase& phase : phases)
    for (const PlanLearn& learn : phase.learns)
      for (const WeightId w : learn.learned)
        total += (gradients(learn) - 1) * static_cast<size_t>(weights[w].shape.elements()) *
                 sizeof(float);
  return total;
}

bool Plan::observes(NodeId node) const {
  return mode == Mode::train && !nodes[node].setting.frozen &&
         nodes[node].node->observes() != Observes::nothing;
}

bool Plan::summarizes(NodeId node, Pass pass) const {
  return !nodes[node].make && nodes[node].node->host().summarizes(pass);
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

#include "framework/run/instances.h"

#include <tbb/task_arena.h>

#include <algorithm>
#include <utility>

#include "framework/plan/blame.h"
#include "framework/plan/differentiate.h"
#include "framework/run/reader.h"

namespace weft {

namespace {

void prepare(const Plan& plan, NodeId n, Node& node, Pass pass) {
  const PlanNode& from = plan.nodes[n];
  const PrecisionScope scope(plan.precision);
  try {
    const Running now(from.path.c_str(), from.kind.c_str(), "prepare()");
    node.prepare(pass);
  } catch (...) {
    throw blame(from.place, who(from), "prepare()", wires(plan, from, node.host()));
  }
}
}  // namespace

Workspaces::Workspaces(size_t count, size_t bytes) : taken_(count) {
  for (size_t i = 0; i < count; ++i) memory_.emplace_back(bytes);
}

int Workspaces::take() {
  const auto thread =
      static_cast<size_t>(std::max(tbb::this_task_arena::current_thread_index(), 0));
  for (size_t i = thread % taken_.size();; i = (i + 1) % taken_.size())
    if (!taken_[i].exchange(true)) return static_cast<int>(i);
}

std::byte* Workspaces::operator[](int workspace) const {
  return workspace < 0 ? nullptr : memory_[workspace].data();
}

Instances::Instances(const Plan& plan, const Registry& registry, Weights& model,
                     const Gradients& gradients, const std::filesystem::path& output_dir,
                     int threads)
    : workspaces(static_cast<size_t>(
                     std::clamp<int64_t>(threads, 1, std::max<int64_t>(plan.own.size(), 1))),
                 plan.workspace),
      norms(plan, model),
      plan_(plan),
      model_(model),
      gradients_(gradients),
      output_dir_(output_dir),
      arena_(plan.arena),
      nodes_(plan.nodes.size()),
      summaries_(plan.nodes.size()),
      learners_(plan.phases.size()),
      reads_data_(plan.nodes.size()) {
  AnyPhase any{ByValue<bool>(plan.values.size()), ByNode<bool>(plan.nodes.size())};
  for (const PlanPhase& phase : plan.phases) {
    for (const ValueId v : phase.wants.ids()) any.wanted[v] = any.wanted[v] || phase.wants[v];
    for (const PlanItem& item : phase.items)
      if (item.kind == PlanItem::Kind::backward) any.backward[item.node] = true;
  }
  for (const WeightId w : plan.weights.ids())
    weights_.push_back(norms.seen(w) ? norms.seen(w) : model[plan.weights[w].name]);
  for (const NodeId n : plan.nodes.ids()) {
    const PlanNode& node = plan.nodes[n];
    reads_data_[n] = n == plan.data;
    for (const ValueId input : node.inputs)
      reads_data_[n] = reads_data_[n] || (input && plan.values[input].node == plan.data);
    if (!plan.needed[n] && n != plan.data) continue;
    if (!node.laned) nodes_[n].push_back(make(registry, n, -1));
    for (int64_t lane = plan.own.begin; node.laned && lane < plan.own.end; ++lane)
      nodes_[n].push_back(make(registry, n, lane, plan.lane_rows(node.rows, lane).begin));
    prepare(n, any);
    add_once(registry, n);
  }
  for (size_t p = 0; p < plan.phases.size(); ++p)
    for (size_t l = 0; l < plan.phases[p].learns.size(); ++l) add_learners(registry, p, l);
}

void Instances::add_learners(const Registry& registry, size_t p, size_t l) {
  const PlanLearn& learn = plan_.phases[p].learns[l];
  const Range own = plan_.own_shards();
  for (size_t block = 0; block < learn.blocks.size(); ++block) {
    BlockLearner learner{.learn = l, .block = block};
    for (int64_t shard = own.begin; shard < own.end && !learn.in_lanes; ++shard) {
      ShardLearner part{.shard = shard};
      for (const NodeId n : learn.nodes) {
        const PlanNode& node = plan_.nodes[n];
        if (!node.laned && shard > 0) continue;
        const Range rows = plan_.rows_of(node.rows, plan_.shard_lanes(shard));
        part.uses.push_back(make(registry, n, -1, node.laned ? rows.begin : 0));
        bind_shard(learner, part, part.uses.size() - 1, p, 0);
        weft::prepare(plan_, n, *part.uses.back().node, Pass::learn);
      }
      if (!part.uses.empty()) learner.shards.push_back(std::move(part));
    }
    learners_[p].push_back(std::move(learner));
  }
}

Instance Instances::make(const Registry& registry, NodeId n, int64_t lane, int64_t first_row) {
  const PlanNode& node = plan_.nodes[n];
  Instance instance{.plan_node = n, .lane = lane};
  if (const auto* source = dynamic_cast<const Source*>(node.node.get())) {
    const Source& first = source->beside->empty() ? *source : *plan_.source();
    instance.node = std::make_unique<Reader>(*source, SampleOrder(first), &first != plan_.source());
  } else {
    instance.node = plan_.instance(registry, n);
  }
  Host& host = instance.node->host();
  host.setting = node.setting;
  host.setting.output_dir = output_dir_;
  host.setting.made_by = "weft, " + plan_.name + ", seed " + std::to_string(plan_.seed);
  host.setting.first_row = first_row;
  for (const Weight* weight : host.weights)
    instance.weights.push_back(weight->present() ? plan_.weight(node.weights + "." + weight->name)
                                                 : WeightId());
  for (State* state : host.states) Host::bind(*state, model_[node.weights + "." + state->name]);
  bind_summaries(instance);
  for (const auto& [name, schedule] : node.params.schedules)
    schedules_.emplace_back(host.param(name), &schedule);
  return instance;
}

void Instances::add_once(const Registry& registry, NodeId n) {
  const bool observes = plan_.observes(n);
  if (!observes && !plan_.summarizes(n, Pass::forward) && !plan_.summarizes(n, Pass::backward))
    return;
  Instance& once = onces_.emplace_back(make(registry, n, -1));
  bind(once, 0, 0, {});
  if (observes) weft::prepare(plan_, n, *once.node, Pass::observe);
}

Instance& Instances::once(NodeId node) {
  return *std::find_if(onces_.begin(), onces_.end(),
                       [&](const Instance& one) { return one.plan_node == node; });
}

// A derivative sees what is said before forward() of the node that it is of.
void Instances::bind_summaries(const Instance& instance) {
  const NodeId n = instance.plan_node, from = plan_.nodes[n].derived_from;
  const auto& summaries = instance.node->host().summaries;
  for (size_t i = 0; i < summaries.size(); ++i) {
    const bool theirs = from && summaries[i]->pass == Pass::forward;
    const int64_t parts = plan_.nodes[theirs ? from : n].laned ? plan_.lanes : 1;
    auto& all = summaries_[theirs ? from : n];
    all.resize(summaries.size());
    all[i].resize(static_cast<size_t>(Host::numbers(*summaries[i], parts)));
    Host::bind(*summaries[i], all[i].data(), parts, std::max<int64_t>(instance.lane, 0));
  }
}

Instance& Instances::in_lane(NodeId node, int64_t lane) {
  return nodes_[node][static_cast<size_t>(lane < 0 ? 0 : lane - plan_.own.begin)];
}

// Prepares the instances of a node for every gradient that any phase wants.
void Instances::prepare(NodeId n, const AnyPhase& any) {
  std::vector<size_t> learns;  // the phases in which the node learns in lanes
  for (const PlanPhase& phase : plan_.phases)
    if (const PlanLearn* learn = phase.learn(n); learn && learn->in_lanes)
      learns.push_back(static_cast<size_t>(&phase - plan_.phases.data()));
  for (Instance& instance : nodes_[n]) {
    bind(instance, 0, 0, {instance.lane, 0});
    for (size_t i = 0; i < instance.node->host().ins.size(); ++i)
      if (const ValueId input = plan_.nodes[n].inputs[i]; input)
        Host::want_grad(*instance.node->host().ins[i], any.wanted[input]);
    weft::prepare(plan_, n, *instance.node, Pass::forward);
    if (any.backward[n]) weft::prepare(plan_, n, *instance.node, Pass::backward);
    for (const size_t phase : learns) {
      bind_weights(instance, phase);
      weft::prepare(plan_, n, *instance.node, Pass::learn);
    }
    instance.bound = -1;
  }
}

Tensor Instances::tensor(BufferId buffer, Rows rows) const {
  if (!buffer) return {};
  const PlanBuffer& b = plan_.buffers[buffer];
  const Range kept = plan_.kept_rows(b);
  const Range range = rows.lane >= 0    ? plan_.lane_rows(b.rows, rows.lane)
                      : rows.shard >= 0 ? plan_.rows_of(b.rows, plan_.shard_lanes(rows.shard))
                                        : kept;
  const Shape shape = b.shape.rank() ? b.shape.with_front(range.size()) : b.shape;
  if (b.brief) {
    std::byte* const own = workspaces[rows.workspace];
    return {shape, b.dtype, own ? own + b.offset : nullptr};
  }
  const auto before = static_cast<size_t>((range.begin - kept.begin) * b.shape.row_elements());
  return {shape, b.dtype, arena_.data() + b.offset + before * bytes(b.dtype)};
}

Tensor Instances::value(ValueId value, int parity, Rows rows) const {
  const PlanValue& v = plan_.values[value];
  if (parity == 1 && v.node == plan_.data) return tensor(plan_.next_batch_buffers[v.port], rows);
  return tensor(plan_.value_buffers[value], rows);
}

Tensor Instances::grad(size_t phase, ValueId value, Rows rows) const {
  const auto& grads = plan_.phases[phase].grads;
  return grads.empty() ? Tensor{} : tensor(grads[value], rows);
}

Tensor Instances::input_grad(size_t phase, NodeId node, size_t input, Rows rows) const {
  const auto& grads = plan_.phases[phase].input_grads;
  return grads.empty() ? Tensor{} : tensor(grads[node][input], rows);
}

void Instances::bind(Instance& instance, size_t phase, int parity, Rows rows) {
  const PlanNode& from = plan_.nodes[instance.plan_node];
  const PlanPhase& p = plan_.phases[phase];
  const Host& node = instance.node->host();
  for (size_t i = 0; i < node.ins.size(); ++i) {
    if (!from.inputs[i]) continue;
    Host::want_grad(*node.ins[i], p.loss && p.wants[from.inputs[i]]);
    Host::bind(*node.ins[i], value(from.inputs[i], parity, rows),
               input_grad(phase, instance.plan_node, i, rows));
  }
  for (size_t i = 0; i < node.outs.size(); ++i)
    Host::bind(*node.outs[i], value(from.outputs[i], parity, rows),
               grad(phase, from.outputs[i], rows));
  for (size_t i = 0; i < node.saved.size(); ++i)
    Host::bind(*node.saved[i], tensor(from.saved[i], rows));
  bind_weights(instance, phase);
}

// Binds the weights of an instance and, if the node learns in lanes, its lane's part of each
// gradient.
void Instances::bind_weights(Instance& instance, size_t phase) {
  const PlanLearn* learn = plan_.phases[phase].learn(instance.plan_node);
  for (size_t i = 0; i < instance.weights.size(); ++i) {
    const WeightId index = instance.weights[i];
    if (!index) continue;
    Weight* weight = instance.node->host().weights[i];
    Tensor grad;
    if (learn && learn->in_lanes) {
      const auto& learned = learn->learned;
      const size_t part =
          plan_.part(*learn, instance.plan_node, std::max<int64_t>(instance.lane, 0));
      const bool learns = std::find(learned.begin(), learned.end(), index) != learned.end();
      if (learns && (instance.lane >= 0 || plan_.own.begin == 0))
        grad = {weight->shape(), DType::f32, gradients_.part(phase, index, part, {0, -1})};
    }
    Host::want_grad(*weight, static_cast<bool>(grad), {0, weight->shape().rows()});
    Host::bind(*weight, weights_[index], grad);
  }
}

// Binds an instance for learn(): to the rows of a shard, and to the block's rows of each gradient.
void Instances::bind_shard(const BlockLearner& learner, ShardLearner& shard, size_t use,
                           size_t phase, int parity) {
  Instance& instance = shard.uses[use];
  const bool laned = plan_.nodes[instance.plan_node].laned;
  bind(instance, phase, parity, {.shard = laned ? shard.shard : -1});
  const PlanLearn& learn = plan_.phases[phase].learns[learner.learn];
  const Range given = learn.blocks[learner.block];
  for (size_t i = 0; i < instance.weights.size(); ++i) {
    const WeightId index = instance.weights[i];
    Weight* weight = instance.node->host().weights[i];
    if (std::find(learn.learned.begin(), learn.learned.end(), index) == learn.learned.end())
      continue;
    const Range rows = given.end >= 0 ? given : Range{0, weight->shape().rows()};
    const auto part = static_cast<size_t>(shard.shard);
    float* const to =
        use == 0 ? gradients_.part(phase, index, part, given) : gradients_.scratch(index, given);
    Host::want_grad(*weight, true, rows);
    Host::bind(*weight, weights_[index], {weight->shape().with_front(rows.size()), DType::f32, to});
  }
}

bool Instances::note_binding(Instance& instance, size_t phase, int parity, int workspace) {
  const auto spaces = static_cast<int64_t>(workspaces.count()) + 1;
  const int64_t key =
      (static_cast<int64_t>(phase) * 2 + (reads_data_[instance.plan_node] ? parity : 0)) * spaces +
      workspace + 1;
  return std::exchange(instance.bound, key) != key;
}

void Instances::bind_lane(Instance& instance, size_t phase, int parity, int workspace) {
  if (note_binding(instance, phase, parity, workspace))
    bind(instance, phase, parity, {instance.lane, workspace});
}

void Instances::bind(size_t phase, int parity) {
  for (const NodeId n : nodes_.ids()) {
    if (n == plan_.data || plan_.nodes[n].laned) continue;
    for (Instance& instance : nodes_[n])
      if (note_binding(instance, phase, parity)) bind(instance, phase, parity, {});
  }
  for (Instance& once : onces_)
    if (note_binding(once, phase, parity)) bind(once, phase, parity, {});
  for (BlockLearner& learner : learners_[phase])
    for (ShardLearner& shard : learner.shards)
      for (size_t use = 0; use < shard.uses.size(); ++use)
        if (note_binding(shard.uses[use], phase, parity))
          bind_shard(learner, shard, use, phase, parity);
}

void Instances::bind_data(int parity) {
  if (!plan_.data) return;
  for (Instance& instance : nodes_[plan_.data]) bind(instance, 0, parity, {instance.lane});
}

void Instances::set_schedules(int64_t step) {
  for (const auto& [param, schedule] : schedules_) Host::set(*param, schedule->at(step));
}

}  // namespace weft

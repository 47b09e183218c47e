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
    : workspaces(static_cast<size_t>(std::min<int64_t>(threads, plan.lanes)), plan.workspace),
      norms(plan, model),
      plan_(plan),
      model_(model),
      gradients_(gradients),
      output_dir_(output_dir),
      arena_(plan.arena),
      nodes_(plan.nodes.size()),
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
    for (int64_t lane = 0; lane < (node.laned ? plan.lanes : 1); ++lane)
      nodes_[n].push_back(make(registry, n, node.laned ? lane : -1));
    prepare(n, any);
    if (!plan.observes(n)) continue;
    Instance& observer = observers_.emplace_back(make(registry, n, -1));
    bind(observer, 0, 0);
    weft::prepare(plan, n, *observer.node, Pass::observe);
  }
  for (size_t p = 0; p < plan.phases.size(); ++p)
    for (size_t l = 0; l < plan.phases[p].learns.size(); ++l)
      for (size_t b = 0; b < plan.phases[p].learns[l].blocks.size(); ++b) {
        BlockLearner learner{.learn = l, .block = b};
        const PlanLearn& learn = plan.phases[p].learns[l];
        for (const NodeId n : learn.in_lanes ? std::vector<NodeId>{} : learn.nodes) {
          learner.uses.push_back(make(registry, n, -1));
          bind_block(learner.uses.back(), p, l, b, true, 0);
          weft::prepare(plan, n, *learner.uses.back().node, Pass::learn);
        }
        learners_[p].push_back(std::move(learner));
      }
}

Instance Instances::make(const Registry& registry, NodeId n, int64_t lane) {
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
  if (lane >= 0) host.setting.first_row = plan_.lane_rows(node.rows, lane).begin;
  for (const Weight* weight : host.weights)
    instance.weights.push_back(weight->present() ? plan_.weight(node.weights + "." + weight->name)
                                                 : WeightId());
  for (State* state : host.states) Host::bind(*state, model_[node.weights + "." + state->name]);
  for (const auto& [name, schedule] : node.params.schedules)
    schedules_.emplace_back(host.param(name), &schedule);
  return instance;
}

Instance& Instances::observer(NodeId node) {
  return *std::find_if(observers_.begin(), observers_.end(),
                       [&](const Instance& one) { return one.plan_node == node; });
}

// Prepares the instances of a node for every gradient that any phase wants.
void Instances::prepare(NodeId n, const AnyPhase& any) {
  std::vector<size_t> learns;  // the phases in which the node learns in lanes
  for (const PlanPhase& phase : plan_.phases)
    if (const PlanLearn* learn = phase.learn(n); learn && learn->in_lanes)
      learns.push_back(static_cast<size_t>(&phase - plan_.phases.data()));
  for (Instance& instance : nodes_[n]) {
    bind(instance, 0, 0, 0);
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
  const bool whole = rows.lane < 0 || b.rows.shared;
  const Range range = whole ? Range{0, b.shape.rows()} : plan_.lane_rows(b.rows, rows.lane);
  if (!b.brief) {
    const Tensor all{b.shape, b.dtype, arena_.data() + b.offset};
    return whole ? all : all.slice(range.begin, range.end);
  }
  std::byte* own = workspaces[rows.workspace];
  return {whole ? b.shape : b.shape.with_front(range.size()), b.dtype,
          own ? own + b.offset : nullptr};
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

void Instances::bind(Instance& instance, size_t phase, int parity, int workspace) {
  const Rows rows{instance.lane, workspace};
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

// Binds the weights of an instance and, if the node learns in lanes, its lane's share of each
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
      const size_t share = learn->first_share(instance.plan_node) +
                           static_cast<size_t>(std::max<int64_t>(instance.lane, 0));
      if (std::find(learned.begin(), learned.end(), index) != learned.end())
        grad = {weight->shape(), DType::f32, gradients_.share(phase, index, share)};
    }
    Host::want_grad(*weight, static_cast<bool>(grad), {0, weight->shape().rows()});
    Host::bind(*weight, weights_[index], grad);
  }
}

// Binds an instance for learn(): to the whole batch, and to the block's rows of each gradient.
void Instances::bind_block(Instance& instance, size_t phase, size_t learn, size_t block, bool first,
                           int parity) {
  bind(instance, phase, parity);
  const PlanLearn& l = plan_.phases[phase].learns[learn];
  const Range given = l.blocks[block];
  for (size_t i = 0; i < instance.weights.size(); ++i) {
    const WeightId index = instance.weights[i];
    Weight* weight = instance.node->host().weights[i];
    const bool learns = std::find(l.learned.begin(), l.learned.end(), index) != l.learned.end();
    if (!learns) continue;
    const Range rows = given.end >= 0 ? given : Range{0, weight->shape().rows()};
    float* to = first ? gradients_.grad(phase, index, given) : gradients_.scratch(index, given);
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
  if (note_binding(instance, phase, parity, workspace)) bind(instance, phase, parity, workspace);
}

void Instances::bind(size_t phase, int parity) {
  for (const NodeId n : nodes_.ids()) {
    if (n == plan_.data || plan_.nodes[n].laned) continue;
    for (Instance& instance : nodes_[n])
      if (note_binding(instance, phase, parity)) bind(instance, phase, parity);
  }
  for (Instance& observer : observers_)
    if (note_binding(observer, phase, parity)) bind(observer, phase, parity);
  for (BlockLearner& learner : learners_[phase])
    for (Instance& use : learner.uses)
      if (note_binding(use, phase, parity))
        bind_block(use, phase, learner.learn, learner.block, &use == &learner.uses[0], parity);
}

void Instances::bind_data(int parity) {
  if (!plan_.data) return;
  for (Instance& instance : nodes_[plan_.data]) bind(instance, 0, parity);
}

void Instances::set_schedules(int64_t step) {
  for (const auto& [param, schedule] : schedules_) Host::set(*param, schedule->at(step));
}

}  // namespace weft

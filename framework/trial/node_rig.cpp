#include "framework/trial/node_rig.h"

#include <algorithm>
#include <limits>

#include "framework/node/dnn.h"
#include "framework/node/measure.h"
#include "framework/node/optimizer.h"
#include "framework/node/sink.h"
#include "framework/run/checked_call.h"

namespace weft::trial {

namespace {

Tensor part(Array& array, Range rows) {
  const Tensor whole = array.tensor();
  return array.shape.rank() && whole ? whole.slice(rows.begin, rows.end) : whole;
}

}  // namespace

std::unique_ptr<Node> NodeRig::instance(int64_t first_row) const {
  std::unique_ptr<Node> node = make_node(kind_, case_,
                                         {.mode = options_.mode,
                                          .frozen = options_.frozen,
                                          .random_key = 41 + options_.seed,
                                          .module_key = 141 + options_.seed,
                                          .first_row = first_row,
                                          .output_dir = options_.folder},
                                         options_.stage);
  for (In* in : node->host().ins)
    if (in->name == options_.constant) Host::want_grad(*in, false);
  return node;
}

NodeRig::NodeRig(const NodeKind& kind, NodeCase node, const RigOptions& options)
    : kind_(kind), case_(std::move(node)), options_(options) {
  single_threaded_dnn();
  whole_ = instance(0);
  hold_inputs();
  hold_outputs();
  hold_weights();
  const std::vector<Value>& batched = inputs.empty() ? outputs : inputs;
  if (!batched.empty()) rows_ = 0;
  for (const Value& value : batched) rows_ = std::max(rows_, value.value.shape.rows());
  step = {options.step, options.rows < 0 ? rows_ : options.rows};
  add_observer();
  add_lanes();
  hold_summaries();
  if (training()) add_learners();
}

void NodeRig::hold_inputs() {
  std::vector<bool> taken(case_.inputs.size(), false);
  for (const In* in : whole_->host().ins) {
    if (!in->wired()) continue;
    size_t i = 0;
    while (taken[i] || case_.inputs[i].first != in->name) ++i;
    taken[i] = true;
    Value input{in->name, case_.inputs[i].second, {}, in->wants_grad()};
    if (input.wants_grad) input.grad = Array(in->shape());
    if (input.wants_grad && options_.twice) input.tangent = Array(in->shape());
    inputs.push_back(std::move(input));
  }
}

void NodeRig::hold_outputs() {
  for (const Out* out : whole_->host().outs) {
    Value output{out->name, Array(out->shape(), out->dtype()), {}};
    output.wants_grad = training() && out->dtype() == DType::f32;
    if (output.wants_grad) output.grad = Array(out->shape());
    if (output.wants_grad && options_.twice) output.tangent = Array(out->shape());
    outputs.push_back(std::move(output));
  }
  for (const Saved* rows : whole_->host().saved)
    saved.push_back(training() && Host::present(*rows) ? Array(Host::shape(*rows), rows->dtype)
                                                       : Array());
}

// Each lane writes a part of what is said of the batch.
void NodeRig::hold_summaries() {
  if (whole_->host().summaries.empty()) return;
  joiner_ = instance(0);
  bind(*joiner_, {0, rows_});
  const auto parts = std::ssize(lanes_);
  for (const Summary* summary : whole_->host().summaries)
    summaries_.emplace_back(static_cast<size_t>(Host::numbers(*summary, parts)),
                            std::numeric_limits<double>::quiet_NaN());
  const auto bind_to = [&](Node& node, int64_t own) {
    for (size_t i = 0; i < summaries_.size(); ++i)
      Host::bind(*node.host().summaries[i], summaries_[i].data(), parts, own);
  };
  bind_to(*joiner_, 0);
  for (int64_t lane = 0; lane < parts; ++lane) bind_to(*lanes_[static_cast<size_t>(lane)], lane);
}

void NodeRig::summarize(Pass pass) {
  if (!whole_->host().summarizes(pass)) return;
  const Work work = pass == Pass::forward ? Work::summarize : Work::summarize_gradients;
  call("summarize");
  for (const auto& lane : lanes_)
    checked_call(*lane, work, step.rows, [&] { lane->summarize(step, pass); });
  call("join");
  checked_call(*joiner_, Work::join, step.rows, [&] { joiner_->join(step, pass); });
}

void NodeRig::hold_weights() {
  for (const Weight* weight : whole_->host().weights) {
    Value value{weight->name, {}, {}, training() && !options_.frozen && weight->present()};
    if (weight->present()) {
      const Init& init = weight->init();
      value.value = Array(weight->shape());
      fill(value.value, 1000 * options_.seed + weights.size(),
           init.kind == Init::Kind::constant ? init.value : 0);
    }
    if (value.wants_grad) value.grad = Array(weight->shape());
    weights.push_back(std::move(value));
  }
  for (const State* state : whole_->host().states) {
    states.emplace_back(state->shape());
    if (const Init& init = state->init(); init.kind == Init::Kind::constant)
      std::ranges::fill(states.back().floats, static_cast<float>(init.value));
    else
      fill(states.back(), 2000 * options_.seed + states.size());
  }
}

// What all samples share is seen whole.
Tensor NodeRig::seen(Array& array, Range rows) const {
  return shared(array) ? array.tensor() : part(array, rows);
}

void NodeRig::bind(Node& node, Range rows) {
  size_t next = 0;
  for (In* in : node.host().ins) {
    if (!in->wired()) continue;
    Value& input = inputs[next++];
    Host::bind(*in, seen(input.value, rows), input.wants_grad ? seen(input.grad, rows) : Tensor{});
    if (!input.tangent.empty()) Host::bind_tangent(*in, seen(input.tangent, rows));
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    Host::bind(*node.host().outs[i], seen(outputs[i].value, rows),
               outputs[i].wants_grad ? seen(outputs[i].grad, rows) : Tensor{});
    if (!outputs[i].tangent.empty())
      Host::bind_tangent(*node.host().outs[i], seen(outputs[i].tangent, rows));
  }
  for (size_t i = 0; i < weights.size(); ++i)
    if (Weight& weight = *node.host().weights[i]; weight.present())
      Host::bind(weight, weights[i].value.tensor(), {});
  for (size_t i = 0; i < saved.size(); ++i) {
    if (saved[i].empty()) continue;
    Host::bind(*node.host().saved[i],
               node.whole_batch() ? saved[i].tensor() : part(saved[i], rows));
  }
  for (size_t i = 0; i < states.size(); ++i) Host::bind(*node.host().states[i], states[i].tensor());
}

void NodeRig::call(const char* name) const {
  if (options_.stage) options_.stage(std::string("in ") + name + "()");
}

void NodeRig::watch(Node& node, Work work, void (Node::*function)(const Step&)) const {
  checked_call(node, work, step.rows, [&] { (node.*function)(step); });
}

void NodeRig::prepare(Node& node, Pass pass) const {
  call("prepare");
  node.prepare(pass);
}

void NodeRig::add_observer() {
  if (!training() || options_.frozen || whole_->observes() == Observes::nothing) return;
  observer_ = instance(0);
  bind(*observer_, {0, rows_});
  prepare(*observer_, Pass::observe);
}

void NodeRig::add_lanes() {
  std::vector<int64_t> sizes = options_.lanes;
  const bool whole =
      whole_->whole_batch() || (training() && std::ranges::any_of(inputs, [&](Value& in) {
                                  return shared(in.value);  // its gradient is of the whole batch
                                }));
  if (sizes.empty() || whole) sizes = {rows_};
  int64_t begin = 0;
  for (const int64_t size : sizes) {
    lanes_.push_back(instance(begin));
    bind(*lanes_.back(), {begin, begin + size});
    prepare(*lanes_.back(), Pass::forward);
    if (training()) prepare(*lanes_.back(), Pass::backward);
    if (options_.twice) prepare(*lanes_.back(), Pass::backward_twice);
    begin += size;
  }
}

// Weights that share the extent of axis 0 are cut alike, otherwise they stay whole.
std::vector<Range> NodeRig::blocks() const {
  int64_t extent = -1;
  bool alike = true;
  for (const Value& weight : weights) {
    if (!weight.wants_grad) continue;
    if (extent >= 0 && weight.value.shape.rows() != extent) alike = false;
    extent = weight.value.shape.rows();
  }
  if (!alike) return {{0, -1}};
  const int64_t count = std::max<int64_t>(1, std::min(options_.blocks, extent));
  std::vector<Range> cut;
  for (int64_t i = 0; i < count; ++i) cut.push_back({extent * i / count, extent * (i + 1) / count});
  return cut;
}

// The lanes' own instances, each with a gradient of its own; learn() adds them up.
void NodeRig::learn_in_lanes() {
  for (const auto& lane : lanes_) {
    std::vector<Array>& grads = parts_.emplace_back();
    for (const Value& weight : weights) grads.push_back(weight.grad);
    for (size_t i = 0; i < weights.size(); ++i) {
      if (!weights[i].wants_grad) continue;
      Host::want_grad(*lane->host().weights[i], true, {0, weights[i].value.shape.rows()});
      Host::bind(*lane->host().weights[i], weights[i].value.tensor(), grads[i].tensor());
    }
    prepare(*lane, options_.twice ? Pass::learn_twice : Pass::learn);
  }
}

void NodeRig::add_learners() {
  const auto learns = [](const Value& weight) { return weight.wants_grad; };
  if (std::none_of(weights.begin(), weights.end(), learns)) return;
  if (whole_->learns_in_lanes()) return learn_in_lanes();
  for (const Range& block : blocks()) {
    learners_.push_back(instance(0));
    Node& node = *learners_.back();
    bind(node, {0, rows_});
    for (size_t i = 0; i < weights.size(); ++i) {
      if (!weights[i].wants_grad) continue;
      const Range own = block.end < 0 ? Range{0, weights[i].value.shape.rows()} : block;
      Host::want_grad(*node.host().weights[i], true, own);
      Host::bind(*node.host().weights[i], weights[i].value.tensor(), part(weights[i].grad, own));
    }
    prepare(node, options_.twice ? Pass::learn_twice : Pass::learn);
  }
}

void NodeRig::observe() {
  if (!observer_) return;
  call("observe");
  watch(*observer_, Work::observe, &Node::observe);
}

void NodeRig::forward() {
  for (Value& output : outputs) output.value.forget();
  for (Array& array : saved) array.forget();
  auto* measure = dynamic_cast<Measure*>(lanes_.front().get());
  if (measure) call("begin"), measure->begin();
  summarize(Pass::forward);
  call("forward");
  for (const auto& lane : lanes_) watch(*lane, Work::forward, &Node::forward);
  if (measure) call("result"), output("y").floats[0] = static_cast<float>(measure->result());
}

void NodeRig::finish() {
  auto* sink = dynamic_cast<Sink*>(lanes_.front().get());
  if (sink) call("finish"), sink->finish();
}

void NodeRig::backward() {
  for (Value& input : inputs) input.grad.forget();
  if (!kind_.has_backward) return;
  summarize(Pass::backward);
  call("backward");
  for (const auto& lane : lanes_) watch(*lane, Work::backward, &Node::backward);
}

void NodeRig::backward_twice() {
  for (Value& input : inputs) input.grad.forget();
  for (Value& output : outputs) output.tangent.forget();
  call("backward_twice");
  for (const auto& lane : lanes_) lane->backward_twice(step);
}

void NodeRig::learn() {
  learn("learn", &Node::learn);
}

void NodeRig::learn_twice() {
  learn("learn_twice", &Node::learn_twice);
}

void NodeRig::learn(const char* name, void (Node::*function)(const Step&)) {
  for (Value& weight : weights) weight.grad.forget();
  if (!kind_.has_learn) return;
  call(name);
  for (const auto& block : learners_) watch(*block, Work::learn, function);
  for (size_t l = 0; l < parts_.size(); ++l) {
    watch(*lanes_[l], Work::learn, function);
    for (size_t i = 0; i < weights.size(); ++i)
      for (size_t j = 0; j < weights[i].grad.floats.size(); ++j) {
        float& sum = weights[i].grad.floats[j];
        sum = parts_[l][i].floats[j] + (l == 0 ? 0 : sum);
      }
  }
}

Array& NodeRig::output(const std::string& name) {
  for (Value& value : outputs)
    if (value.name == name) return value.value;
  throw Error("there is no output `" + name + "`");
}

Array& NodeRig::weight(const std::string& name) {
  for (Value& value : weights)
    if (value.name == name) return value.value;
  throw Error("there is no weight `" + name + "`");
}

Array& NodeRig::state(const std::string& name) {
  for (size_t i = 0; i < states.size(); ++i)
    if (whole_->host().states[i]->name == name) return states[i];
  throw Error("there is no state `" + name + "`");
}

std::vector<Array> run_updates(const NodeKind& kind, const Yaml& params, Array weight,
                               std::vector<Array> grads, int64_t blocks, const Stage& stage) {
  const std::unique_ptr<Node> node = make_node(kind, {params, {}}, {}, stage);
  if (stage) stage("in update()");
  const auto& optimizer = dynamic_cast<const Optimizer&>(*node);
  const int64_t rows = weight.shape.rows(), count = optimizer.whole_weight() ? 1 : blocks;
  std::vector<Array> slots(node->host().slots.size(), Array(weight.shape));
  for (Array& slot : slots) std::ranges::fill(slot.floats, 0.0F);
  std::vector<Array> after;
  for (Array& grad : grads) {
    for (int64_t i = 0; i < count; ++i) {
      const Range own{rows * i / count, rows * (i + 1) / count};
      std::vector<float*> parts;
      parts.reserve(slots.size());
      for (Array& slot : slots) parts.push_back(part(slot, own).floats());
      const Tensor block = part(weight, own);
      checked_update(optimizer, {block.shape, block.floats(), part(grad, own).floats(), parts,
                                 static_cast<int64_t>(after.size()) + 1});
    }
    after.push_back(weight);
  }
  return after;
}

}  // namespace weft::trial

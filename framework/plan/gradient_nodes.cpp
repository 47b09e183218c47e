#include "framework/plan/gradient_nodes.h"

#include <algorithm>
#include <cstring>

#include "framework/node/host.h"
#include "framework/node/loops.h"

namespace weft {

namespace {
Tensor floats_of(std::vector<float>& memory, const Shape& shape) {
  return {shape, DType::f32, memory.data()};
}

// Does the port take gradients?
bool takes_grad(const In& in) {
  return in.traits.grad && in.dtype() == DType::f32;
}
}  // namespace

Derivative::Derivative(std::shared_ptr<const DerivativeOf> of)
    : of_(std::move(of)), node_(of_->make()) {
  Host& its = node_->host();
  its.setting = of_->setting;
  const auto port = [&](const auto& member, bool grad) {
    return std::make_unique<In>(this, member.name, member.doc,
                                PortTraits{.any = true, .grad = grad, .shared = true});
  };
  for (size_t i = 0; i < its.ins.size(); ++i) {
    const DerivativeOf::Input& in = of_->ins[i];
    Input& input = inputs_.emplace_back();
    if (in.taken()) input.value = port(*its.ins[i], in.grad);
    if (in.on_path)
      input.grad = std::make_unique<Out>(this, its.ins[i]->name, "The gradient of it.");
  }
  for (size_t i = 0; i < its.outs.size(); ++i) {
    Output& output = outputs_.emplace_back();
    if (of_->outs[i].read) output.value = port(*its.outs[i], false);
  }
  for (size_t i = 0; i < its.saved.size(); ++i)
    saved_.push_back(of_->saved[i] ? port(*its.saved[i], false) : nullptr);
  for (size_t i = 0; i < its.outs.size(); ++i)
    if (of_->outs[i].on_path)
      outputs_[i].grad = std::make_unique<In>(this, its.outs[i]->name, "The gradient of it.");
  host().weights = its.weights;
  host().states = its.states;
  host().summaries = its.summaries;
  host().params = its.params;
}

Derivative::~Derivative() = default;

void Derivative::infer() {
  const Host& its = node_->host();
  for (size_t i = 0; i < its.ins.size(); ++i)
    if (of_->ins[i].wired)
      Host::wire(*its.ins[i], of_->ins[i].shape, of_->ins[i].dtype, of_->ins[i].on_path);
  node_->infer();
  const auto spent = [](const auto& port, bool read) {
    if (port && !read) port->forward_only();
  };
  for (size_t i = 0; i < inputs_.size(); ++i) {
    spent(inputs_[i].value, of_->ins[i].read && !(linear() && takes_grad(*its.ins[i])));
    spent(inputs_[i].grad, false);
    if (!inputs_[i].grad) continue;
    inputs_[i].grad->shape(of_->ins[i].shape);
    if (of_->ins[i].rows.shared) inputs_[i].grad->share();
  }
  for (const Output& output : outputs_)
    spent(output.value, !linear()), spent(output.grad, !linear());
  for (const auto& saved : saved_) spent(saved, !linear());
}

// Binds the node's ports to the values here: the rows of this instance.
void Derivative::bind_values() {
  const Host& its = node_->host();
  int64_t samples = 0;
  for (size_t i = 0; i < outputs_.size(); ++i)
    if (outputs_[i].grad && !of_->outs[i].rows.shared)
      samples = outputs_[i].grad->rows() / of_->outs[i].rows.each;
  for (size_t i = 0; samples == 0 && i < inputs_.size(); ++i)
    if (inputs_[i].grad && !of_->ins[i].rows.shared)
      samples = inputs_[i].grad->rows() / of_->ins[i].rows.each;
  const auto rows_of = [&](const auto& port) {
    const Shape& shape = port.shape;
    return Tensor{port.rows.shared ? shape : shape.with_front(port.rows.of(samples)), DType::f32,
                  nullptr};
  };
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (!of_->ins[i].wired) continue;
    const auto& value = inputs_[i].value;
    Host::bind(*its.ins[i], value ? Host::value(*value) : rows_of(of_->ins[i]), {});
    Host::want_grad(*its.ins[i], of_->ins[i].on_path);
  }
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const auto& value = outputs_[i].value;
    Host::bind(*its.outs[i], value ? Host::value(*value) : rows_of(of_->outs[i]), {});
  }
  copies_.resize(saved_.size());
  for (size_t i = 0; i < saved_.size(); ++i)
    if (saved_[i]) Host::bind(*its.saved[i], saved(i));
}

// A saved value: of a node of the whole batch, whose backward() may write there, a copy.
Tensor Derivative::saved(size_t i) {
  const Tensor& given = Host::value(*saved_[i]);
  if (!whole_batch() || !given) return given;
  std::vector<std::byte>& copy = copies_[i];
  copy.resize(static_cast<size_t>(given.size()) * bytes(given.dtype));
  std::memcpy(copy.data(), given.data, copy.size());
  return {given.shape, given.dtype, copy.data()};
}

// A copy of the gradient of an output: the node may overwrite it. Zeros if none is given.
Tensor Derivative::grad(size_t i) {
  const auto& given = outputs_[i].grad;
  if (given)
    std::copy_n(given->data(), given->size(), grads_[i].data());
  else
    std::ranges::fill(grads_[i], 0.0F);
  return floats_of(grads_[i], node_->host().outs[i]->shape());
}

void Derivative::reserve() {
  const Host& its = node_->host();
  for (const auto& port : its.outs) {
    grads_.emplace_back(static_cast<size_t>(port->size()));
    tangents_.emplace_back(static_cast<size_t>(port->size()));
  }
  for (size_t i = 0; i < its.ins.size(); ++i) {
    const bool zeros = of_->ins[i].wired && !of_->ins[i].on_path && takes_grad(*its.ins[i]);
    zeros_.emplace_back(zeros ? static_cast<size_t>(its.ins[i]->size()) : 0);
  }
}

void Derivative::prepare(Pass pass) {
  Host& its = node_->host();
  its.setting.first_row = host().setting.first_row;
  bind_values();
  if (zeros_.empty()) reserve();
  if (pass == Pass::forward) return node_->prepare(Pass::backward);
  if (pass == Pass::learn) return node_->prepare(Pass::learn_twice);
  bind_tangents();
  node_->prepare(linear() ? Pass::forward : Pass::backward_twice);
}

void Derivative::forward(const Step& step) {
  bind_values();
  const Host& its = node_->host();
  for (size_t i = 0; i < inputs_.size(); ++i)
    if (inputs_[i].grad)
      Host::bind(*its.ins[i], Host::value(*its.ins[i]), Host::value(*inputs_[i].grad));
  for (size_t i = 0; i < outputs_.size(); ++i)
    Host::bind(*its.outs[i], Host::value(*its.outs[i]), grad(i));
  if (its.summarizes(Pass::backward))
    node_->summarize(step, Pass::backward), node_->join(step, Pass::backward);
  node_->backward(step);
}

// Binds what backward_twice() and learn_twice() read and write beside the values.
void Derivative::bind_tangents() {
  const Host& its = node_->host();
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (!of_->ins[i].wired || !takes_grad(*its.ins[i])) continue;
    In& in = *its.ins[i];
    Host::bind_tangent(
        in, inputs_[i].grad ? Host::grad(*inputs_[i].grad) : floats_of(zeros_[i], in.shape()));
    const auto& value = inputs_[i].value;
    const bool wants = value && value->wants_grad();
    Host::bind(in, Host::value(in), wants ? Host::grad(*value) : Tensor{});
    Host::want_grad(in, wants);
  }
  for (size_t i = 0; i < outputs_.size(); ++i) {
    Out& out = *its.outs[i];
    const auto& given = outputs_[i].grad;
    const bool wants = given && given->wants_grad();
    Host::bind(out, Host::value(out), grad(i));
    Host::bind_tangent(out, wants ? Host::grad(*given) : floats_of(tangents_[i], out.shape()));
  }
}

// The outputs of a linear node along tangents are those of the tangents.
void Derivative::along(const Step& step) {
  const Host& its = node_->host();
  for (In* in : its.ins)
    if (in->wired() && takes_grad(*in)) Host::bind(*in, Host::tangent(*in), {});
  for (Out* out : its.outs) Host::bind(*out, Host::tangent(*out), {});
  node_->forward(step);
  if (!whole_batch()) return;
  for (size_t i = 0; i < its.outs.size(); ++i)  // rows of padding have no gradient
    if (const Out& out = *its.outs[i]; !of_->outs[i].rows.shared)
      std::fill(out.data() + step.rows * out.row_size(), out.data() + out.size(), 0.0F);
}

void Derivative::backward(const Step& step) {
  bind_values();
  bind_tangents();
  if (linear()) return along(step);
  node_->backward_twice(step);
}

void Derivative::learn(const Step& step) {
  bind_values();
  bind_tangents();
  node_->learn_twice(step);
}

double Derivative::flops() const {  // a product for each input on the path
  return static_cast<double>(
             std::ranges::count_if(inputs_, [](const Input& in) { return in.grad != nullptr; })) *
         node_->flops();
}

void Ones::infer() {
  y.shape(score.shape());
  score.forward_only(), y.forward_only();
}

void Ones::forward(const Step& step) {  // rows of padding have no gradient
  const int64_t samples = std::clamp<int64_t>(step.rows - first_row(), 0, y.rows());
  std::fill_n(y.data(), y.size(), 0.0F);
  std::fill_n(y.data(), samples * y.row_size(), 1.0F);
}

GradientSum::GradientSum(size_t readers) {
  for (size_t i = 0; i < readers; ++i)
    xs_.push_back(std::make_unique<In>(this, "xs", "What each of them leaves."));
}

void GradientSum::infer() {
  y.shape(xs_[0]->shape());
  for (const auto& x : xs_) x->forward_only();
  y.forward_only();
}

void GradientSum::forward(const Step&) {
  std::copy_n(xs_[0]->data(), y.size(), y.data());
  for (size_t i = 1; i < xs_.size(); ++i) add_scaled(xs_[i]->data(), 1, y.data(), y.size());
}

void GradientSum::backward(const Step&) {
  for (const auto& x : xs_)
    if (x->wants_grad()) std::copy_n(y.grad(), y.size(), x->grad());
}

}  // namespace weft

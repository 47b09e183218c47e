#include "framework/run/learner.h"

#include <algorithm>
#include <cmath>

#include "framework/graph/optimizers.h"
#include "framework/node/simd.h"

namespace weft {

namespace {
WEFT_SIMD void add(float* __restrict to, const float* __restrict from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] += from[i];
}

WEFT_SIMD void scale(float* __restrict to, float factor, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] *= factor;
}

WEFT_SIMD float square_sum(const float* __restrict from, int64_t n) {
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) sum += from[i] * from[i];
  return sum;
}

Tensor make(const Shape& shape, std::vector<Buffer>& memory) {
  memory.emplace_back(static_cast<size_t>(shape.elements()) * sizeof(float));
  return {shape, DType::f32, memory.back().data()};
}

void set_param(Node& node, const std::string& name, double value) {
  for (ParamBase* param : node.params)
    if (param->name == name) param->set(value);
}
}  // namespace

Learner::Learner(const Plan& plan, const Registry& registry, Model& model)
    : plan_(plan), model_(model), phases_(plan.phases.size()) {
  for (size_t p = 0; p < plan.phases.size(); ++p) {
    const PlanPhase& from = plan.phases[p];
    Phase& phase = phases_[p];
    for (const PlanOptimizer& optimizer : from.optimizers)
      phase.optimizers.push_back(make_optimizer(optimizer, registry));
    for (const int w : from.updates) {
      Slots& slots = phase.weights[w];
      const Shape& shape = plan.weights[static_cast<size_t>(w)].shape;
      const auto chosen = static_cast<size_t>(&plan.optimizer(from, w) - from.optimizers.data());
      slots.optimizer = dynamic_cast<const Optimizer*>(phase.optimizers[chosen].get());
      slots.grad = make(shape, slots.memory);
      for (size_t s = 0; s < slots.optimizer->slots.size(); ++s)
        slots.slots.push_back(make(shape, slots.memory));
      if (from.decl->accumulate > 1) slots.sum = make(shape, slots.memory);
    }
    for (const PlanLearn& learn : from.learns) {
      phase.squares.emplace_back(learn.blocks.size());
      if (learn.nodes.size() < 2) continue;
      for (const int w : learn.plan_weights) {
        std::vector<Buffer> memory;
        const Tensor tensor = make(plan.weights[static_cast<size_t>(w)].shape, memory);
        scratch_[w] = {tensor, std::move(memory[0])};
      }
    }
  }
}

void Learner::set_schedules(int64_t step) {
  for (size_t p = 0; p < phases_.size(); ++p)
    for (size_t o = 0; o < phases_[p].optimizers.size(); ++o)
      for (const auto& [param, schedule] : plan_.phases[p].optimizers[o].schedules)
        set_param(*phases_[p].optimizers[o], param, schedule.at(step));
}

bool Learner::runs(size_t phase, int64_t step) const {
  const PhaseDecl* decl = plan_.phases[phase].decl;
  return !decl || (step + 1) % decl->every == 0;
}

bool Learner::updates(size_t phase, int64_t step) const {
  const PhaseDecl& decl = *plan_.phases[phase].decl;
  return runs(phase, step) && (step + 1) / decl.every % decl.accumulate == 0;
}

// A block {0, -1} is a weight that is not cut.
Range Learner::extent(int weight, Range block) const {
  if (block.end >= 0) return block;
  return {0, plan_.weights[static_cast<size_t>(weight)].shape.rows()};
}

float* Learner::grad(size_t phase, int weight, Range block) {
  const Range rows = extent(weight, block);
  return phases_[phase].weights.at(weight).grad.slice(rows.begin, rows.end).floats();
}

float* Learner::scratch(int weight, Range block) {
  const Range rows = extent(weight, block);
  return scratch_.at(weight).first.slice(rows.begin, rows.end).floats();
}

void Learner::for_each_weight(size_t phase, size_t learn, size_t block, auto&& f) {
  const PlanLearn& l = plan_.phases[phase].learns[learn];
  for (const int w : l.plan_weights) {
    const Range rows = extent(w, l.blocks[block]);
    f(w, phases_[phase].weights.at(w), rows);
  }
}

void Learner::finish_block(size_t phase, size_t learn, size_t block, int64_t step) {
  const PhaseDecl& decl = *plan_.phases[phase].decl;
  if (decl.accumulate > 1) {
    for_each_weight(phase, learn, block, [&](int, Slots& slots, Range rows) {
      const Tensor grad = slots.grad.slice(rows.begin, rows.end);
      const Tensor sum = slots.sum.slice(rows.begin, rows.end);
      add(sum.floats(), grad.floats(), sum.size());
      if (!updates(phase, step)) return;
      scale(sum.floats(), 1 / static_cast<float>(decl.accumulate), sum.size());
      std::copy_n(sum.floats(), sum.size(), grad.floats());
      std::fill_n(sum.floats(), sum.size(), 0.0F);
    });
  }
  if (!updates(phase, step)) return;
  if (decl.clip == 0) return update(phase, learn, block);
  double& square = phases_[phase].squares[learn][block] = 0;
  for_each_weight(phase, learn, block, [&](int, Slots& slots, Range rows) {
    const Tensor grad = slots.grad.slice(rows.begin, rows.end);
    square += square_sum(grad.floats(), grad.size());
  });
}

// Pascanu et al. 2013: g ← g · min(1, clip / ‖g‖), as torch.nn.utils.clip_grad_norm_.
void Learner::clip(size_t phase) {
  double square = 0;
  for (const auto& blocks : phases_[phase].squares)
    for (const double block : blocks) square += block;
  const double norm = std::sqrt(square);
  if (!std::isfinite(norm)) throw Error(Exit::nonfinite, "the gradient's norm is not finite");
  phases_[phase].scale =
      static_cast<float>(std::min(1.0, plan_.phases[phase].decl->clip / (norm + 1e-6)));
}

void Learner::update(size_t phase, size_t learn, size_t block) {
  for_each_weight(phase, learn, block, [&](int w, Slots& slots, Range rows) {
    const Tensor weight =
        model_[plan_.weights[static_cast<size_t>(w)].name].slice(rows.begin, rows.end);
    const Tensor grad = slots.grad.slice(rows.begin, rows.end);
    if (phases_[phase].scale != 1) scale(grad.floats(), phases_[phase].scale, grad.size());
    std::vector<float*> parts;
    for (const Tensor& slot : slots.slots)
      parts.push_back(slot.slice(rows.begin, rows.end).floats());
    slots.optimizer->update(
        {weight.size(), weight.floats(), grad.floats(), parts, phases_[phase].updates + 1});
  });
}

std::vector<NamedTensor> Learner::tensors() const {
  std::vector<NamedTensor> all;
  for (size_t p = 0; p < phases_.size(); ++p)
    for (const auto& [w, slots] : phases_[p].weights) {
      const std::string prefix =
          plan_.phases[p].decl->name + "." + plan_.weights[static_cast<size_t>(w)].name + ".";
      for (size_t s = 0; s < slots.slots.size(); ++s)
        all.push_back({prefix + slots.optimizer->slots[s]->name, slots.slots[s]});
      if (slots.sum) all.push_back({prefix + "gradient_sum", slots.sum});
    }
  return all;
}

nlohmann::json Learner::state() const {
  nlohmann::json updates = nlohmann::json::object();
  for (size_t p = 0; p < phases_.size(); ++p)
    updates[plan_.phases[p].decl->name] = phases_[p].updates;
  return updates;
}

void Learner::load(const std::map<std::string, Tensor>& tensors, const nlohmann::json& state) {
  for (const NamedTensor& own : this->tensors()) {
    const auto found = tensors.find(own.name);
    if (found == tensors.end() || found->second.shape != own.tensor.shape)
      throw Error(Exit::checkpoint, "the checkpoint has no `" + own.name + "` of shape " +
                                        own.tensor.shape.str() +
                                        ": its phases or optimizers are others");
    std::copy(found->second.span().begin(), found->second.span().end(), own.tensor.floats());
  }
  for (size_t p = 0; p < phases_.size(); ++p)
    phases_[p].updates = state.at(plan_.phases[p].decl->name).get<int64_t>();
}

}  // namespace weft

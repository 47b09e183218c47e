#include "framework/run/weights.h"

#include <algorithm>
#include <cmath>

namespace weft {

namespace {
void start(const std::string& name, const Init& init, uint64_t seed, Tensor tensor) {
  const uint64_t key = Random::key(seed, "weights/" + name);
  const auto row_size = static_cast<size_t>(tensor.shape.row_elements());
  for (int64_t row = 0; row < tensor.shape.rows(); ++row) {
    Random random(key, 0, static_cast<uint32_t>(row));
    const std::span<float> numbers(tensor.floats() + row * tensor.shape.row_elements(), row_size);
    const auto value = static_cast<float>(init.value);
    switch (init.kind) {
      case Init::Kind::constant: std::fill(numbers.begin(), numbers.end(), value); break;
      case Init::Kind::uniform:
        random.uniform(numbers);
        for (float& x : numbers) x = (2 * x - 1) * value;
        break;
      case Init::Kind::normal:
        random.normal(numbers);
        for (float& x : numbers) x *= value;
        break;
    }
  }
}
}  // namespace

Tensor Weights::make(const std::string& name, const Shape& shape) {
  return tensors_.emplace(name, shape).first->second.view;
}

void Weights::add(const Plan& plan) {
  const auto missing = [&](const std::string& name, const Shape& shape) {
    const auto found = tensors_.find(name);
    if (found != tensors_.end() && found->second.view.shape != shape)
      throw Error("`" + name + "` is " + shape.str() + " in `" + weft::name(plan.mode) + "`, but " +
                  found->second.view.shape.str() + " elsewhere in the pipeline");
    return found == tensors_.end();
  };
  for (const PlanWeight& weight : plan.weights)
    if (missing(weight.name, weight.shape))
      start(weight.name, weight.init, plan.seed, make(weight.name, weight.shape));
  for (const PlanState& state : plan.states)
    if (missing(state.name, state.shape))
      start(state.name, state.init, plan.seed, make(state.name, state.shape));
  follow(plan);
}

void Weights::follow(const Plan& plan) {
  const auto copy = [&](const std::string& from, const std::string& to) {
    std::ranges::copy((*this)[from].span(), (*this)[to].floats());
  };
  for (const PlanFollow& follow : plan.follows) {
    for (const WeightId leader : follow.weights.ids())
      if (const WeightId own = follow.weights[leader])
        copy(plan.weights[leader].name, plan.weights[own].name);
    for (const auto& [leader, own] : follow.states) copy(leader, own);
  }
}

void Weights::load(const std::map<std::string, Tensor>& from, const std::string& ours,
                   const std::string& theirs) {
  for (auto& [name, owned] : tensors_) {
    if (!name.starts_with(ours)) continue;
    const std::string original = theirs + name.substr(ours.size());
    const auto found = from.find(original);
    if (found == from.end())
      throw Error(Exit::checkpoint,
                  "the checkpoint has no `" + original + "`: it belongs to another pipeline");
    if (found->second.shape != owned.view.shape || found->second.dtype != DType::f32)
      throw Error(Exit::checkpoint, "`" + original + "` is " + found->second.shape.str() +
                                        " in the checkpoint, but " + owned.view.shape.str() +
                                        " in the pipeline");
    for (const float number : found->second.span())
      if (!std::isfinite(number))
        throw Error(Exit::checkpoint,
                    "`" + original + "` has numbers that are not finite in the checkpoint");
    std::copy(found->second.span().begin(), found->second.span().end(), owned.view.floats());
  }
}

std::vector<NamedTensor> Weights::tensors() const {
  std::vector<NamedTensor> all;
  for (const auto& [name, owned] : tensors_) all.push_back({name, owned.view});
  return all;
}

}  // namespace weft

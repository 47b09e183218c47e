#include "framework/run/gradients.h"

#include "framework/run/add.h"

namespace weft {

Range extent(const Plan& plan, WeightId weight, Range block) {
  return block.end >= 0 ? block : Range{0, plan.weights[weight].shape.rows()};
}

Gradients::Gradients(const Plan& plan) : plan_(plan), phases_(plan.phases.size()) {
  for (size_t p = 0; p < plan.phases.size(); ++p) {
    const auto add = [&](WeightId w) { phases_[p][w].emplace_back(plan.weights[w].shape); };
    for (const WeightId w : plan.phases[p].updates) add(w);
    for (const PlanLearn& learn : plan.phases[p].learns)
      for (const WeightId w : learn.learned) {
        while (learn.in_lanes && phases_[p].at(w).size() < learn.shares()) add(w);
        if (learn.nodes.size() > 1 && !learn.in_lanes)
          scratch_[w] = OwnedTensor(plan.weights[w].shape);
      }
  }
}

float* Gradients::grad(size_t phase, WeightId weight, Range block) const {
  const Range rows = extent(plan_, weight, block);
  return whole(phase, weight).slice(rows.begin, rows.end).floats();
}

float* Gradients::scratch(WeightId weight, Range block) const {
  const Range rows = extent(plan_, weight, block);
  return scratch_.at(weight).view.slice(rows.begin, rows.end).floats();
}

float* Gradients::share(size_t phase, WeightId weight, size_t index) const {
  return phases_[phase].at(weight)[index].view.floats();
}

void Gradients::sum_shares(size_t phase, const PlanLearn& learn, Range block) const {
  for (const WeightId w : learn.learned) {
    const Range rows = extent(plan_, w, block);
    const auto& shares = phases_[phase].at(w);
    const Tensor sum = shares[0].view.slice(rows.begin, rows.end);
    for (size_t i = 1; i < shares.size(); ++i)
      add(sum.floats(), shares[i].view.slice(rows.begin, rows.end).floats(), sum.size());
  }
}

}  // namespace weft

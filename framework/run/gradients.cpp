#include "framework/run/gradients.h"

#include "framework/run/add.h"

namespace weft {

Range extent(const Plan& plan, WeightId weight, Range block) {
  return block.end >= 0 ? block : Range{0, plan.weights[weight].shape.rows()};
}

Gradients::Gradients(const Plan& plan) : plan_(plan), phases_(plan.phases.size()) {
  const Range own = plan.own_shards();
  for (size_t p = 0; p < plan.phases.size(); ++p) {
    for (const PlanLearn& learn : plan.phases[p].learns)
      for (const WeightId w : learn.learned) {
        std::vector<OwnedTensor>& all = phases_[p][w];
        for (int64_t shard = own.begin; shard < own.end; ++shard)
          for (const size_t part : learn.parts[static_cast<size_t>(shard)]) {
            if (part >= all.size()) all.resize(part + 1);
            all[part] = OwnedTensor(plan.weights[w].shape);
          }
        if (learn.nodes.size() > 1 && !learn.in_lanes)
          scratch_[w] = OwnedTensor(plan.weights[w].shape);
      }
  }
}

float* Gradients::part(size_t phase, WeightId weight, size_t part, Range block) const {
  const Range rows = extent(plan_, weight, block);
  return phases_[phase].at(weight)[part].view.slice(rows.begin, rows.end).floats();
}

float* Gradients::scratch(WeightId weight, Range block) const {
  const Range rows = extent(plan_, weight, block);
  return scratch_.at(weight).view.slice(rows.begin, rows.end).floats();
}

float* Gradients::sum_shard(size_t phase, const PlanLearn& learn, WeightId weight, int64_t shard,
                            Range block) const {
  const std::vector<size_t>& parts = learn.parts[static_cast<size_t>(shard)];
  if (parts.empty()) return nullptr;
  const int64_t size =
      extent(plan_, weight, block).size() * plan_.weights[weight].shape.row_elements();
  float* const sum = part(phase, weight, parts[0], block);
  for (size_t i = 1; i < parts.size(); ++i) add(sum, part(phase, weight, parts[i], block), size);
  return sum;
}

}  // namespace weft

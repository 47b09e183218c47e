#include "framework/run/updates.h"

#include <algorithm>
#include <cmath>

#include "framework/node/loops.h"
#include "framework/plan/blame.h"
#include "framework/plan/optimizers.h"
#include "framework/plan/shards.h"
#include "framework/run/add.h"
#include "framework/run/checked_call.h"

namespace weft {

namespace {
WEFT_SIMD void move(float* __restrict own, const float* __restrict leader, float decay, int64_t n) {
  for (int64_t i = 0; i < n; ++i) own[i] = decay * own[i] + (1 - decay) * leader[i];
}

WEFT_SIMD void clamp(float* __restrict to, float most, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const float high = to[i] > most ? most : to[i];
    to[i] = high < -most ? -most : high;
  }
}

WEFT_SIMD float square_sum(const float* __restrict from, int64_t n) {
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) sum += from[i] * from[i];
  return sum;
}

WEFT_SIMD bool finite(const float* __restrict from, int64_t n) {
  float zero = 0;
  WEFT_SUM(zero)
  for (int64_t i = 0; i < n; ++i) zero += from[i] * 0.0F;
  return zero == 0;
}
}  // namespace

Updates::Updates(const Plan& plan, const Registry& registry, const Weights& weights,
                 const Gradients& gradients, bool check)
    : plan_(plan), check_(check), phases_(plan.phases.size()) {
  for (size_t p = 0; p < plan.phases.size(); ++p) {
    for (const PlanOptimizer& optimizer : plan.phases[p].optimizers)
      phases_[p].optimizers.push_back(make_optimizer(optimizer, registry));
    for (const WeightId weight : plan.phases[p].updates) keep(p, weight);
    for (const PlanLearn& learn : plan.phases[p].learns) add_blocks(p, learn, weights, gradients);
  }
}

void Updates::keep(size_t p, WeightId w) {
  const PlanPhase& phase = plan_.phases[p];
  Kept& kept = phases_[p].kept[w];
  const Shape& shape = plan_.weights[w].shape;
  const auto chosen = static_cast<size_t>(&plan_.optimizer(phase, w) - phase.optimizers.data());
  kept.optimizer = dynamic_cast<const Optimizer*>(phases_[p].optimizers[chosen].get());
  for (size_t s = 0; s < kept.optimizer->host().slots.size(); ++s) kept.slots.emplace_back(shape);
  if (phase.decl->accumulate == 1) return;
  const Range here = plan_.rank.number == 0 ? Range{0, plan_.shards} : plan_.own_shards();
  for (int64_t shard = here.begin; shard < here.end; ++shard)
    kept.sums.emplace(shard, OwnedTensor(shape));
}

void Updates::add_blocks(size_t p, const PlanLearn& learn, const Weights& weights,
                         const Gradients& gradients) {
  auto& blocks = phases_[p].blocks.emplace_back();
  for (const Range range : learn.blocks) {
    Block& block = blocks.emplace_back();
    for (const WeightId w : learn.learned) {
      const Kept& kept = phases_[p].kept.at(w);
      const Range rows = extent(plan_, w, range);
      const auto part = [&](const Tensor& t) { return t.slice(rows.begin, rows.end); };
      const Tensor own = part(weights[plan_.weights[w].name]);
      block.parts.push_back({kept.optimizer, w, own.shape, own.size(), own.floats()});
      for (const OwnedTensor& slot : kept.slots)
        block.parts.back().slots.push_back(part(slot.view).floats());
      for (size_t f = 0; f < plan_.follows.size(); ++f)
        if (const WeightId follower = plan_.follows[f].weights[w])
          block.parts.back().followers.emplace_back(
              f, part(weights[plan_.weights[follower].name]).floats());
      const auto add_shard = [&](int64_t shard, size_t first) {
        block.parts.back().shards.push_back(
            {shard, gradients.part(p, w, first, range),
             kept.sums.empty() ? nullptr : part(kept.sums.at(shard).view).floats()});
      };
      for (int64_t s = plan_.own_shards().begin; s < plan_.own_shards().end; ++s)
        if (const auto& parts = learn.parts[static_cast<size_t>(s)]; !parts.empty())
          add_shard(s, parts[0]);
    }
    add_sums(learn, block);
  }
}

// A sum over a subtree lies where its first part does.
void Updates::add_sums(const PlanLearn& learn, Block& block) const {
  for (size_t i = 0; i < block.parts.size(); ++i) {
    Part& part = block.parts[i];
    for (const Range tree : subtrees_of(learn, plan_.rank.number)) {
      const auto first = std::ranges::find_if(
          part.shards, [&](const Shard& shard) { return shard.number >= tree.begin; });
      part.own.push_back({tree, i, part.size, first->grad});
    }
    part.all = part.own;
  }
}

// Those of a process's shards in which something is learned.
std::vector<Range> Updates::subtrees_of(const PlanLearn& learn, int64_t rank) const {
  std::vector<Range> trees = subtrees(plan_.shards, plan_.own_shards(rank));
  std::erase_if(trees, [&](Range tree) {
    return std::all_of(learn.parts.begin() + tree.begin, learn.parts.begin() + tree.end,
                       [](const auto& parts) { return parts.empty(); });
  });
  return trees;
}

std::vector<TreeSum> Updates::sums(size_t phase, size_t learn, size_t block, int64_t rank) const {
  std::vector<TreeSum> all;
  for (const Part& part : phases_[phase].blocks[learn][block].parts) {
    const auto weight =
        static_cast<size_t>(&part - phases_[phase].blocks[learn][block].parts.data());
    if (rank == plan_.rank.number)
      all.insert(all.end(), part.own.begin(), part.own.end());
    else
      for (const Range tree : subtrees_of(plan_.phases[phase].learns[learn], rank))
        all.push_back({tree, weight, part.size, nullptr});
  }
  return all;
}

float* Updates::place(size_t p, const BlockRun& run, Range tree) {
  const PlanLearn& learn = plan_.phases[p].learns[run.learn];
  const WeightId w = learn.learned[run.weight];
  const int64_t size = plan_.weights[w].shape.row_elements();
  const auto bytes = static_cast<size_t>(run.rows.size() * size) * sizeof(float);
  const auto [at, fresh] = phases_[p].places.try_emplace(
      {run.learn, run.weight, run.rows.begin, tree.begin, tree.end}, bytes);
  float* const numbers = at->second.floats();
  for (int64_t block = run.blocks.begin; fresh && block < run.blocks.end; ++block) {
    const auto b = static_cast<size_t>(block);
    const Range rows = extent(plan_, w, learn.blocks[b]);
    phases_[p].blocks[run.learn][b].parts[run.weight].all.push_back(
        {tree, run.weight, rows.size() * size, numbers + (rows.begin - run.rows.begin) * size});
  }
  return numbers;
}

void Updates::set_schedules(int64_t step) {
  decays_.clear();
  for (const PlanFollow& follow : plan_.follows)
    decays_.push_back(static_cast<float>(follow.decay.at(step)));
  for (size_t p = 0; p < phases_.size(); ++p)
    for (size_t o = 0; o < phases_[p].optimizers.size(); ++o)
      for (const auto& [param, schedule] : plan_.phases[p].optimizers[o].params.schedules)
        Host::set(*phases_[p].optimizers[o]->host().param(param), schedule.at(step));
}

bool Updates::runs(size_t phase, int64_t step) const {
  const auto& decl = plan_.phases[phase].decl;
  return !decl || (step + 1) % decl->every == 0;
}

bool Updates::updates(size_t phase, int64_t step) const {
  const PhaseDecl& decl = *plan_.phases[phase].decl;
  return runs(phase, step) && (step + 1) / decl.every % decl.accumulate == 0;
}

void Updates::accumulate(size_t phase, size_t learn, size_t index, int64_t step) {
  const bool updates_now = updates(phase, step);
  for (const Part& part : phases_[phase].blocks[learn][index].parts) {
    for (const Shard& shard : part.shards) {
      if (!finite(shard.grad, part.size))
        throw Error(Exit::nonfinite,
                    "the gradient of `" + plan_.weights[part.of].name + "` is not finite");
      if (!shard.sum) continue;
      add(shard.sum, shard.grad, part.size);
      if (!updates_now) continue;
      std::copy_n(shard.sum, part.size, shard.grad);
      std::fill_n(shard.sum, part.size, 0.0F);
    }
    const auto of_shard = [&](Range tree) -> std::optional<float*> {
      if (tree.size() > 1) return std::nullopt;
      const auto found = std::ranges::find(part.shards, tree.begin, &Shard::number);
      return found == part.shards.end() ? nullptr : found->grad;
    };
    for (const TreeSum& sum : part.own)
      if (updates_now)
        tree_sum(sum.tree, of_shard, [&](float* a, float* b) { add(a, b, sum.size); });
  }
}

void Updates::finish(size_t phase, size_t learn, size_t index, int64_t step) {
  const PhaseDecl& decl = *plan_.phases[phase].decl;
  Block& block = phases_[phase].blocks[learn][index];
  for (Part& part : block.parts) {
    const auto known = [&](Range tree) -> std::optional<float*> {
      for (const TreeSum& sum : part.all)
        if (sum.tree == tree) return sum.numbers;
      if (tree.size() > 1) return std::nullopt;
      return nullptr;
    };
    part.grad =
        tree_sum(Range{0, plan_.shards}, known, [&](float* a, float* b) { add(a, b, part.size); });
    if (decl.accumulate > 1) scale(part.grad, 1 / static_cast<float>(decl.accumulate), part.size);
  }
  if (decl.clip == 0) return update(phase, learn, index, step);
  block.square = 0;
  for (const Part& part : block.parts)
    block.square += static_cast<double>(square_sum(part.grad, part.size));
}

// Clips by the global norm (Pascanu et al. 2013): g ← g · min(1, clip / ‖g‖), as PyTorch's
// torch.nn.utils.clip_grad_norm_ does.
void Updates::clip(size_t phase) {
  double square = 0;
  for (const auto& blocks : phases_[phase].blocks)
    for (const Block& block : blocks) square += block.square;
  const double norm = std::sqrt(square);
  if (!std::isfinite(norm)) throw Error(Exit::nonfinite, "the gradient's norm is not finite");
  phases_[phase].scale =
      static_cast<float>(std::min(1.0, plan_.phases[phase].decl->clip / (norm + 1e-6)));
}

void Updates::update(size_t phase, size_t learn, size_t block, int64_t step) {
  const Phase& p = phases_[phase];
  const auto most = static_cast<float>(plan_.phases[phase].decl->clip_weights);
  for (const Part& part : p.blocks[learn][block].parts) {
    if (p.scale != 1) scale(part.grad, p.scale, part.size);
    const PlanOptimizer& from = plan_.optimizer(plan_.phases[phase], part.of);
    const std::string& weight = plan_.weights[part.of].name;
    try {
      const Running now(weight.c_str(), from.kind.c_str(), "update()", step);
      const Update update{part.shape, part.weight, part.grad, part.slots, p.updates + 1};
      if (check_)
        checked_update(*part.optimizer, update);
      else
        part.optimizer->update(update);
      if (most > 0) clamp(part.weight, most, part.size);
    } catch (...) {
      throw blame(from.place, from.kind + ", the optimizer of `" + weight + "`",
                  "step " + std::to_string(step));
    }
  }
  follow(phase, learn, block);
}

void Updates::follow(size_t phase, size_t learn, size_t block) {
  for (const Part& part : phases_[phase].blocks[learn][block].parts)
    for (const auto& [follower, own] : part.followers)
      move(own, part.weight, decays_[follower], part.size);
}

float* Updates::weight(size_t phase, size_t learn, size_t block, size_t weight) const {
  return phases_[phase].blocks[learn][block].parts[weight].weight;
}

bool Updates::followed(size_t phase, size_t learn, size_t block) const {
  return std::ranges::any_of(phases_[phase].blocks[learn][block].parts,
                             [](const Part& part) { return !part.followers.empty(); });
}

double& Updates::square(size_t phase, size_t learn, size_t block) {
  return phases_[phase].blocks[learn][block].square;
}

void Updates::end_update(size_t phase, const Weights& weights) {
  ++phases_[phase].updates;
  for (const PlanFollow& follow : plan_.follows) {
    const auto moves = [&](const Mention& module) { return module.text == follow.leader; };
    if (std::ranges::none_of(plan_.phases[phase].decl->update, moves)) continue;
    for (const auto& [leader, own] : follow.copied)
      std::ranges::copy(weights[leader].span(), weights[own].floats());
  }
}

std::vector<Tensor> Updates::slots(size_t phase, WeightId weight) const {
  std::vector<Tensor> all;
  for (const OwnedTensor& slot : phases_[phase].kept.at(weight).slots) all.push_back(slot.view);
  return all;
}

Tensor Updates::sum(size_t phase, WeightId weight, int64_t shard) const {
  const auto& sums = phases_[phase].kept.at(weight).sums;
  const auto found = sums.find(shard);
  return found == sums.end() ? Tensor{} : found->second.view;
}

std::vector<NamedTensor> Updates::tensors() const {
  std::vector<NamedTensor> all;
  for (size_t p = 0; p < phases_.size(); ++p)
    for (const auto& [w, kept] : phases_[p].kept) {
      const std::string prefix = plan_.phases[p].decl->name + "." + plan_.weights[w].name + ".";
      for (size_t s = 0; s < kept.slots.size(); ++s)
        all.push_back({prefix + kept.optimizer->host().slots[s]->name, kept.slots[s].view});
      for (const auto& [shard, sum] : kept.sums)
        all.push_back({prefix + "gradient_sum" +
                           (plan_.shards > 1 ? "." + std::to_string(shard) : std::string()),
                       sum.view});
    }
  return all;
}

nlohmann::json Updates::state() const {
  nlohmann::json updates = nlohmann::json::object();
  for (size_t p = 0; p < phases_.size(); ++p)
    if (const auto& decl = plan_.phases[p].decl) updates[decl->name] = phases_[p].updates;
  return updates;
}

void Updates::load(const std::map<std::string, Tensor>& tensors, const nlohmann::json& state) {
  for (const NamedTensor& own : this->tensors()) {
    const auto found = tensors.find(own.name);
    if (found == tensors.end() || found->second.shape != own.tensor.shape)
      throw Error(Exit::checkpoint, "the checkpoint has no `" + own.name + "` of shape " +
                                        own.tensor.shape.str() +
                                        ": its phases or optimizers are others");
    std::copy(found->second.span().begin(), found->second.span().end(), own.tensor.floats());
  }
  load(state);
}

void Updates::load(const nlohmann::json& state) {
  for (size_t p = 0; p < phases_.size(); ++p)
    if (const auto& decl = plan_.phases[p].decl) {
      phases_[p].updates = state.at(decl->name).get<int64_t>();
      if (phases_[p].updates < 0)
        throw Error(Exit::checkpoint, "`updates` of phase `" + decl->name + "` is below 0");
    }
}

}  // namespace weft

#include "framework/plan/optimizers.h"

#include <algorithm>

#include "framework/language/fields.h"
#include "framework/language/spelling.h"
#include "framework/language/vars.h"
#include "framework/node/did_you_mean.h"
#include "framework/node/optimizer.h"
#include "framework/plan/blame.h"

namespace weft {

namespace {
PlanOptimizer read_optimizer(const Plan& plan, const Yaml& map, const std::string& match,
                             const Registry& registry, Mistakes& mistakes) {
  PlanOptimizer optimizer{.match = match, .place = map.place()};
  const Yaml* kind = map.is_map() ? map.find("node") : nullptr;
  if (!kind) throw Error(map.place(), "an optimizer is a map: {node: adam, lr: 1e-3}");
  optimizer.kind = kind->to_text("an optimizer");
  if (!registry.find(optimizer.kind))
    throw Error(kind->place(), "there is no optimizer `" + optimizer.kind + "`" +
                                   did_you_mean(optimizer.kind, registry.names()));
  std::unique_ptr<Node> node = registry.make(optimizer.kind);
  if (!dynamic_cast<const Optimizer*>(node.get()))
    throw Error(kind->place(), "`" + optimizer.kind + "` is not an optimizer");
  Yaml given = map;
  given.erase("node");
  std::vector<std::string> known;
  for (const ParamBase* param : node->host().params) known.emplace_back(param->name);
  const Spelling spelling(given, known);
  for (const auto& [entry, near] : spelling.unknown())
    mistakes.add(entry->place, optimizer.kind + " has no param " + ticked(entry->key) +
                                   (near.empty() ? "; it has " + listed(known) : near));
  for (const ParamBase* param : node->host().params)
    if (param->required && spelling.lacks(param->name))
      mistakes.add(map.place(),
                   optimizer.kind + " needs its param " + ticked(param->name) + ": " + param->doc);
  for (const auto& [key, place, value] : given.entries()) {
    ParamBase* const param = node->host().param(key);
    if (!param || unresolved(value)) continue;
    try {
      optimizer.params.set(*param, value, plan.steps);
    } catch (const Error& error) {
      add_at(mistakes, value.place(), error, optimizer.kind + ": ");
    }
  }
  try {
    const Running now(optimizer.kind.c_str(), "an optimizer", "infer()");
    node->infer();
  } catch (...) {
    mistakes.add(blame(map.place(), optimizer.kind, ""));
  }
  optimizer.node = std::move(node);
  return optimizer;
}
}  // namespace

std::vector<PlanOptimizer> read_optimizers(const Plan& plan, const PhaseDecl& phase,
                                           const Registry& registry, Mistakes& mistakes) {
  std::vector<PlanOptimizer> optimizers;
  const auto add = [&](const Yaml& map, const std::string& match) {
    try {
      optimizers.push_back(read_optimizer(plan, map, match, registry, mistakes));
    } catch (const Error& error) {
      mistakes.add(error);
    }
  };
  const auto updates = [&](const std::string& module) {
    return std::any_of(phase.update.begin(), phase.update.end(),
                       [&](const Mention& mention) { return mention.text == module; });
  };
  for (const Yaml& group : phase.groups) {
    const Yaml* match = group.is_map() ? group.find("match") : nullptr;
    if (!match || !match->is_scalar()) {
      mistakes.add(group.place(), "a group is a map: {match: \"*.bias\", weight_decay: 0}");
      continue;
    }
    Yaml merged = phase.optimizer;
    for (const auto& entry : group.entries())
      if (entry.key != "match") merged.put(entry);
    add(merged, match->text());
    const bool used = std::any_of(plan.weights.begin(), plan.weights.end(), [&](const auto& w) {
      return updates(w.module) && matches(match->text(), w.name);
    });
    if (!used)
      mistakes.add(match->place(), "phase `" + phase.name + "` updates no weight that matches `" +
                                       match->text() + "`");
  }
  if (!phase.optimizer.is_null()) add(phase.optimizer, "*");
  return optimizers;
}

const PlanOptimizer* optimizer_of(const PlanPhase& phase, const std::string& weight) {
  const auto one = std::ranges::find_if(
      phase.optimizers, [&](const PlanOptimizer& o) { return matches(o.match, weight); });
  return one == phase.optimizers.end() ? nullptr : &*one;
}

bool matches(const std::string& pattern, const std::string& name) {
  size_t p = 0, n = 0, star = std::string::npos, after = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*')
      star = p++, after = n;
    else if (p < pattern.size() && pattern[p] == name[n])
      ++p, ++n;
    else if (star != std::string::npos)
      p = star + 1, n = ++after;
    else
      return false;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::unique_ptr<Node> make_optimizer(const PlanOptimizer& optimizer, const Registry& registry) {
  std::unique_ptr<Node> node = registry.make(optimizer.kind);
  optimizer.params.give_to(*node);
  return node;
}

}  // namespace weft

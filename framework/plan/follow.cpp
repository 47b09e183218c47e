#include "framework/plan/follow.h"

#include <algorithm>
#include <iterator>

#include "framework/language/fields.h"

namespace weft {

namespace {
Schedule decay_of(const ModuleDecl& module, int64_t steps) {
  Schedule decay{.from = 0.999};
  const Yaml& given = module.decay;
  if (given.is_map())
    decay = Schedule::read(given, steps);
  else if (!given.is_null())
    decay.from = given.to_number("`decay`");
  for (const double value : {decay.at(0), decay.at(steps)})
    if (!(value >= 0 && value <= 1))
      throw Error(given.place(), "`decay` must be from 0 to 1 in every step");
  return decay;
}

std::string renamed(const std::string& name, const ModuleDecl& module) {
  return module.name + name.substr(module.follows.size());
}

// Does a module that it uses follow another? All that it has may be there.
bool follows_inside(const Pipeline& pipeline, const std::string& name) {
  return std::ranges::any_of(pipeline.modules, [&](const auto& other) {
    return other.first.starts_with(name + "_") && !other.second.follows.empty();
  });
}

// Adds what the follower has for each of the leader's, and returns the names.
template <class All>
std::vector<std::pair<std::string, std::string>> add(All& all, const ModuleDecl& module) {
  std::vector<std::pair<std::string, std::string>> names;
  const All before = all;
  for (const auto& theirs : before) {
    if (!theirs.name.starts_with(module.follows + ".")) continue;
    auto own = theirs;
    own.name = renamed(theirs.name, module);
    if constexpr (requires { own.module; }) own.module = module.name;
    names.emplace_back(theirs.name, own.name);
    const auto same = [&](const auto& one) { return one.name == own.name; };
    if (std::ranges::none_of(all, same)) all.push_back(own);
  }
  return names;
}
}  // namespace

void plan_follows(Plan& plan, const Pipeline& pipeline, Mistakes& mistakes) {
  for (const auto& [name, module] : pipeline.modules) {
    if (module.follows.empty()) continue;
    const auto weights = add(plan.weights, module);
    PlanFollow follow{.module = name, .leader = module.follows};
    follow.states = add(plan.states, module);
    std::ranges::copy_if(follow.states, std::back_inserter(follow.copied), [&](const auto& pair) {
      return std::ranges::none_of(plan.nodes, [&, &own = pair.second](const PlanNode& node) {
        return node.module == name && own.starts_with(node.weights + ".");
      });
    });
    if (weights.empty() && follow.states.empty() && !follows_inside(pipeline, name))
      mistakes.add(module.graph.place, "module " + ticked(name) + " follows " +
                                           ticked(module.follows) +
                                           ", of which `train` has no weights");
    try {
      follow.decay = decay_of(module, plan.steps);
    } catch (const Error& error) {
      add_at(mistakes, module.graph.place, error);
    }
    follow.weights.resize(plan.weights.size());
    for (const auto& [theirs, own] : weights)
      follow.weights[plan.weight(theirs)] = plan.weight(own);
    plan.follows.push_back(std::move(follow));
  }
  for (PlanFollow& follow : plan.follows) follow.weights.resize(plan.weights.size());
}

}  // namespace weft

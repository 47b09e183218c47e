#include "framework/plan/fits.h"

#include <set>

namespace weft {

namespace {
constexpr size_t most_bytes = size_t{8} << 20;  // limit for all fits: each checkpoint has a copy

struct ReadFit {
  const PlanNode& node;
  const Fit& fit;
  ValueId value;  // the output that the fit is about
};

// The fits whose output something reads.
std::vector<ReadFit> read_fits(const Plan& plan) {
  std::vector<ReadFit> all;
  for (const PlanNode& node : plan.nodes)
    for (const Fit* fit : node.node->host().fits)
      if (fit->of.wanted() && !fit->name().empty())
        all.push_back({node, *fit, node.outputs[fit->of.index]});
  return all;
}

// The modules that a value reaches without passing through another module.
std::vector<std::string> modules_that_read(const Plan& plan, ValueId value) {
  std::set<std::string> modules;
  std::set<ValueId> seen{value};
  for (std::vector<ValueId> open{value}; !open.empty();) {
    const auto readers = plan.values[open.back()].readers;
    open.pop_back();
    for (const auto& [reader, input] : readers) {
      const PlanNode& node = plan.nodes[reader];
      if (!node.module.empty())
        modules.insert(node.module);
      else
        for (const ValueId output : node.outputs)
          if (seen.insert(output).second) open.push_back(output);
    }
  }
  return {modules.begin(), modules.end()};
}

bool holds(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::string kind_of(const std::string& name) {
  return name.substr(0, name.find(" of "));
}

// The name of another fit of the same kind that the module learned with, or "".
std::string other_fit(const FittedMap& given, const std::string& name, const std::string& module) {
  if (const auto same = given.find(name);
      same != given.end() && holds(same->second.modules, module))
    return "";
  for (const auto& [other, fitted] : given)
    if (other != name && kind_of(other) == kind_of(name) && holds(fitted.modules, module))
      return other;
  return "";
}
}  // namespace

bool agree(const Plan& plan, FittedMap& given) {
  std::map<std::string, std::shared_ptr<const std::string>> first;
  bool differ = false;
  for (const ReadFit& read : read_fits(plan)) {
    const std::string& name = read.fit.name();
    const auto [known, fresh] = first.emplace(name, read.fit.bytes());
    if (fresh || *known->second == *read.fit.bytes()) continue;
    given[name].bytes = known->second;
    differ = true;
  }
  return differ;
}

void keep_fits(Plan& plan, const FittedMap& given, Mistakes& mistakes) {
  size_t bytes = 0;
  std::set<std::string> counted;
  for (const auto& [node, fit, value] : read_fits(plan)) {
    const auto refuse = [&, &node = node](const std::string& sentence, Exit code = Exit::data) {
      mistakes.add(Error(node.place, node.path + " (" + node.kind + "): " + sentence, code));
    };
    if (const auto known = given.find(fit.name());
        known != given.end() && !known->second.dispute.empty())
      refuse(known->second.dispute, Exit::checkpoint);
    else if (!Host::complaint(fit).empty())
      refuse(Host::complaint(fit));
    const auto modules = modules_that_read(plan, value);
    for (const std::string& module : modules)
      if (const auto other = other_fit(given, fit.name(), module); !other.empty())
        refuse("module `" + module + "` learned with the " + other + ", but reads the " +
               fit.name() + " here: the same numbers would mean something else");
    if (counted.insert(fit.name()).second) bytes += fit.bytes()->size();
    if (bytes > most_bytes)
      refuse("the " + fit.name() + " take more than 8 MiB, too much to keep with every checkpoint");
    Fitted& kept = (*plan.fitted)[fit.name()];
    kept.bytes = fit.bytes();
    for (const std::string& module : modules)
      if (!holds(kept.modules, module)) kept.modules.push_back(module);
  }
}

}  // namespace weft

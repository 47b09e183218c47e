#include "framework/plan/wiring.h"

#include <algorithm>

#include "framework/language/fields.h"
#include "framework/language/fragment_files.h"
#include "framework/node/did_you_mean.h"

namespace weft {

namespace {
constexpr int64_t most_nodes = 20'000;  // limit for a section
constexpr int most_waiting = 200;
}  // namespace

void Wiring::index(Scope& scope, const std::vector<NodeDecl>& nodes) {
  for (const NodeDecl& node : nodes) {
    scope.nodes[node.name] = &node;
    if (const size_t dot = node.name.find('.'); dot != std::string::npos)
      scope.nodes[node.name.substr(0, dot)] = &node;  // the last of a repeat goes by its bare name
  }
}

void Wiring::section(const SectionDecl& section) {
  top_.what = ticked(section.inherits ? "train" : name(plan_.mode));
  index(top_, section.nodes);
  if (section.data) top_.nodes["data"] = data_ = &*section.data;
  for (const auto& [name, fragment] : pipeline_.fragments)
    if (registry_.find(name))
      mistakes_.add(fragment.body.place(),
                    "fragment " + ticked(name) + " has the name of a node kind");
  if (section.data && attempt(top_, *section.data) && !plan_.source())
    mistakes_.add(section.data->place, "`data` must be a data set, but " +
                                           ticked(section.data->module + section.data->kind) +
                                           " computes; put it under `nodes:`");
  plan_.steps = training_steps();
  for (const NodeDecl& decl : section.nodes) attempt(top_, decl);
}

bool Wiring::attempt(Scope& scope, const NodeDecl& decl) {
  try {
    wire(scope, decl);
    return true;
  } catch (const Skip&) {  // reported already
    return false;
  }
}

// The length of the training, which schedules without `over` follow in every section; 0: not known.
int64_t Wiring::training_steps() const {
  if (!pipeline_.train) return 0;
  if (pipeline_.train->steps) return pipeline_.train->steps;
  if (plan_.mode != Mode::train) return known_steps_;
  return plan_.source() ? pipeline_.train->epochs * plan_.steps_per_epoch() : 1;
}

ValueId Wiring::value(const std::string& ref, const Place& place) {
  if (ref.empty()) return {};  // reported already
  try {
    return resolve(top_, ref, place);
  } catch (const Skip&) {
    return {};
  } catch (const Error& error) {
    add_at(mistakes_, place, error);
    return {};
  }
}

// Finds the value of "node", "node.port", or "block.2.port" where `block` is repeated.
ValueId Wiring::resolve(Scope& scope, const std::string& ref, const Place& place) {
  if (const auto input = scope.inputs.find(ref); input != scope.inputs.end())
    return scope.read.insert(ref), input->second;
  if (scope.through) return resolve(*scope.outer, ref, place);
  size_t dot = ref.find('.');
  if (const size_t second = dot == std::string::npos ? dot : ref.find('.', dot + 1);
      dot != std::string::npos && scope.nodes.contains(ref.substr(0, second)))
    dot = second;
  const std::string head = ref.substr(0, dot);
  const std::string port = dot == std::string::npos ? "" : ref.substr(dot + 1);
  const auto found = scope.nodes.find(head);
  if (found == scope.nodes.end()) {
    std::vector<std::string> known;
    for (const auto& [name, decl] : scope.nodes) known.push_back(name);
    for (const auto& [name, value] : scope.inputs) known.push_back(name);
    throw Error(place, "there is no node " + ticked(head) + " in " + scope.what +
                           did_you_mean(head, known));
  }
  scope.read.insert(found->second->name);
  const Outputs& outputs = wire(scope, *found->second);
  std::vector<std::string> names;
  for (const auto& [name, value] : outputs) {
    if (name == port || (port.empty() && outputs.size() == 1)) return value;
    names.push_back(name);
  }
  if (names.empty()) throw Error(place, ticked(head) + " has no output to wire");
  if (!port.empty() && port.find_first_not_of("0123456789") == port.npos)
    throw Error(place, "there is no node " + ticked(ref) + " in " + scope.what);
  if (port.empty())
    throw Error(place, ticked(head) + " has several outputs; write one of " +
                           ticked(head + "." + names[0]) +
                           (names.size() > 1 ? ", " + ticked(head + "." + names[1]) : ""));
  throw Error(place, ticked(head) + " has no output " + ticked(port) + did_you_mean(port, names) +
                         "; it has " + listed(names));
}

Wiring::Scope Wiring::within(Scope& scope) {
  return {.outer = &scope,
          .what = scope.what,
          .path = scope.path,
          .module = scope.module,
          .weights = scope.weights,
          .loop = scope.loop,
          .through = true};
}

void Wiring::expand(int64_t nodes, const Place& place) {
  expanded_ += nodes;
  if (expanded_ > most_nodes)
    throw Error(place, "a section has at most " + std::to_string(most_nodes) +
                           " nodes once its modules, fragments and repeats are expanded");
}

void Wiring::refuse_cycle(const Scope& scope, const NodeDecl& decl) {
  const auto again = std::find(scope.open.begin(), scope.open.end(), decl.name);
  if (again == scope.open.end()) return;
  std::string path;
  for (auto node = again; node != scope.open.end(); ++node) path += ticked(*node) + " needs ";
  throw Error(decl.place,
              "the nodes of " + scope.what + " form a cycle: " + path + ticked(decl.name));
}

std::vector<std::string> Wiring::kinds() const {
  std::vector<std::string> kinds = registry_.names();
  for (const auto& [name, fragment] : pipeline_.fragments) kinds.push_back(name);
  for (const std::string& name : fragment_names(registry_)) kinds.push_back(name);
  return kinds;
}

// Finds a fragment in the pipeline, else in a file, which the plan then owns; null if in neither.
const FragmentDecl* Wiring::fragment(const std::string& name) {
  if (const auto own = pipeline_.fragments.find(name); own != pipeline_.fragments.end())
    return &own->second;
  for (const FragmentDecl& taken : plan_.fragments)
    if (taken.name == name) return &taken;
  auto found = find_fragment(name, pipeline_.file, registry_, mistakes_);
  return found ? &plan_.fragments.emplace_back(std::move(*found)) : nullptr;
}

Wiring::Outputs Wiring::wire_once(Scope& scope, const NodeDecl& decl) {
  if (!decl.each.empty()) return wire_each(scope, decl);
  if (!decl.module.empty()) return wire_module(scope, decl);
  if (const auto* entry = registry_.find(decl.kind)) return wire_kind(scope, decl, *entry->kind);
  const FragmentDecl* const fragment = this->fragment(decl.kind);
  if (fragment) return wire_fragment(scope, decl, *fragment);
  if (pipeline_.modules.contains(decl.kind))
    throw Error(decl.place, ticked(decl.kind) + " is a module: write `use: " + decl.kind +
                                "` instead of `node: " + decl.kind + "`");
  throw Error(decl.place, "there is no node kind " + ticked(decl.kind) +
                              did_you_mean(decl.kind, kinds()) +
                              "; `weft nodes` lists them, and `plugins:` may bring more");
}

const Wiring::Outputs& Wiring::wire(Scope& scope, const NodeDecl& decl) {
  if (const auto done = scope.done.find(decl.name); done != scope.done.end()) return done->second;
  if (scope.failed.contains(decl.name) || expanded_ > most_nodes) throw Skip{};
  refuse_cycle(scope, decl);
  scope.open.push_back(decl.name);
  try {
    Outputs outputs;
    if (++waiting_ > most_waiting) {
      throw Error(decl.place, "more than " + std::to_string(most_waiting) +
                                  " nodes wait for one another: write a node below those it reads");
    } else if (decl.module.empty() && decl.kind.empty() && !decl.gradient && !decl.formula) {
      throw Skip{};  // reported already
    } else {
      outputs = decl.gradient  ? wire_gradient(scope, decl)
                : decl.formula ? wire_formula(scope, decl)
                : decl.loop    ? wire_loop(scope, decl)
                               : wire_once(scope, decl);
    }
    scope.open.pop_back();
    --waiting_;
    return scope.done[decl.name] = std::move(outputs);
  } catch (const Error& error) {
    add_at(mistakes_, decl.place, error);
  } catch (const Skip&) {
  }
  scope.open.pop_back();
  --waiting_;
  scope.failed.insert(decl.name);
  throw Skip{};
}

}  // namespace weft

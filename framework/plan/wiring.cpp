#include "framework/plan/wiring.h"

#include <algorithm>

#include "framework/language/fields.h"
#include "framework/language/fragments.h"
#include "framework/node/optimizer.h"
#include "framework/plan/blame.h"

namespace weft {

namespace {
constexpr int64_t most_nodes = 20'000;  // limit for a section
constexpr int most_waiting = 200;

// The keys that a user can write on a node of this kind.
std::vector<std::string> keys_of(const Node& node) {
  std::vector<std::string> keys;
  for (const In* port : node.host().ins) keys.emplace_back(port->name);
  for (const Ins* port : node.host().lists) keys.emplace_back(port->name);
  for (const ParamBase* param : node.host().params) keys.emplace_back(param->name);
  return keys;
}
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

void Wiring::expand(const std::vector<NodeDecl>& nodes, const Place& place) {
  expanded_ += std::ssize(nodes);
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
    } else if (decl.module.empty() && decl.kind.empty()) {
      throw Skip{};  // reported already
    } else if (!decl.module.empty()) {
      outputs = wire_module(scope, decl);
    } else if (const auto* entry = registry_.find(decl.kind)) {
      outputs = wire_kind(scope, decl, *entry->kind);
    } else {
      const FragmentDecl* const fragment = this->fragment(decl.kind);
      if (!fragment && pipeline_.modules.contains(decl.kind))
        throw Error(decl.place, ticked(decl.kind) + " is a module: write `use: " + decl.kind +
                                    "` instead of `node: " + decl.kind + "`");
      if (!fragment)
        throw Error(decl.place, "there is no node kind " + ticked(decl.kind) +
                                    did_you_mean(decl.kind, kinds()) +
                                    "; `weft nodes` lists them, and `plugins:` may bring more");
      outputs = wire_fragment(scope, decl, *fragment);
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

Wiring::Outputs Wiring::wire_kind(Scope& scope, const NodeDecl& decl, const NodeKind& kind) {
  PlanNode node{.path = scope.path + decl.name, .kind = kind.name, .place = decl.place};
  node.has_backward = kind.has_backward, node.has_learn = kind.has_learn;
  node.module = scope.module;
  node.weights = scope.weights + decl.name;
  std::unique_ptr<Node> made = registry_.make(kind.name);
  const std::string who = decl.name.substr(0, decl.name.find('.')) + " (" + kind.name + ")";
  const bool is_data = &scope == &top_ && &decl == data_;
  if (dynamic_cast<const Optimizer*>(made.get()))
    throw Error(decl.place, who + " is an optimizer: it belongs in `optimizer:` of a phase");
  if (dynamic_cast<const Source*>(made.get()) && !scope.module.empty())
    throw Error(decl.place, who + " is a data set: it belongs in a section, not in a module");
  Mistakes own;
  bool skipped = false;
  const auto wired = [&](const Yaml& ref, const char* port, bool optional) {
    try {
      if (unresolved(ref)) throw Skip{};
      const ValueId value = resolve(scope, ref.to_text("port " + ticked(port)), ref.place());
      if (!value && !optional)
        own.add(ref.place(), who + " needs its port " + ticked(port) +
                                 ", but gets an optional input that is not wired");
      return value;
    } catch (const Error& error) {
      own.add(error);
    } catch (const Skip&) {
      skipped = true;
    }
    return ValueId();
  };

  const std::vector<std::string> known = keys_of(*made);
  const Spelling spelling(decl.keys, known);
  for (const auto& [entry, near] : spelling.unknown())
    own.add(entry->place, who + " has no port or param " + ticked(entry->key) + near + "; it has " +
                              listed(known));
  const auto needs = [&](const char* what, const auto& one) {
    if (spelling.lacks(one.name))
      own.add(decl.place, who + " needs its " + what + " " + ticked(one.name) + ": " + one.doc);
  };
  std::vector<std::pair<ValueId, Place>> sources;
  for (In* port : std::vector(made->host().ins)) {
    const Yaml* ref = decl.keys.find(port->name);
    if (!ref && !port->traits.optional) needs("port", *port);
    sources.emplace_back(ref ? wired(*ref, port->name, port->traits.optional) : ValueId(),
                         ref ? ref->place() : decl.place);
  }
  for (Ins* port : made->host().lists) {
    const Yaml* refs = decl.keys.find(port->name);
    if (!refs)
      needs("port", *port);
    else if (refs->is_list() && refs->items().empty())
      own.add(refs->place(), who + ": port " + ticked(port->name) + " needs at least one item");
    const auto items = !refs             ? std::vector<Yaml>{}
                       : refs->is_list() ? refs->items()
                                         : std::vector{*refs};
    for (const Yaml& item : items)
      sources.emplace_back(wired(item, port->name, false), item.place());
    node.lists.push_back(items.size());
    Host::resize(*port, *made, items.size());
  }
  for (ParamBase* param : made->host().params) {
    const Yaml* value = decl.keys.find(param->name);
    try {
      if (value && unresolved(*value))
        skipped = true;
      else if (value)
        node.params.set(*param, *value, plan_.steps);
      else if (param->required)
        needs("param", *param);
    } catch (const Error& error) {
      add_at(own, value->place(), error, who + ": ");
    }
  }
  refuse_alike(*made, sources, who, own);
  own.check();
  if (skipped) throw Skip{};
  for (size_t i = 0; i < sources.size(); ++i)
    connect(node, *made->host().ins[i], sources[i].first, sources[i].second);
  infer(node, *made);

  const NodeId id(plan_.nodes.size());
  Outputs outputs;
  for (const Out* port : made->host().outs) {
    const bool only = made->host().outs.size() == 1;
    node.outputs.push_back(
        plan_.values.add({.path = node.path + (only ? "" : "." + std::string(port->name)),
                          .shape = port->shape(),
                          .dtype = port->dtype,
                          .node = id,
                          .port = outputs.size()}));
    outputs.emplace_back(port->name, node.outputs.back());
  }
  for (size_t i = 0; i < node.inputs.size(); ++i)
    if (node.inputs[i]) plan_.values[node.inputs[i]].readers.push_back({id, i});
  if (is_data) plan_.data = id;
  node.node = std::move(made);
  plan_.nodes.push_back(std::move(node));
  return outputs;
}

void Wiring::refuse_alike(const Node& node, const std::vector<std::pair<ValueId, Place>>& sources,
                          const std::string& who, Mistakes& mistakes) {
  const auto& ins = node.host().ins;
  for (size_t i = 0; i < ins.size() && ins.size() == sources.size(); ++i)
    for (size_t j = 0; ins[i]->traits.unlike && j < ins.size(); ++j)
      if (ins[j]->name == std::string_view(ins[i]->traits.unlike) && sources[i].first &&
          sources[i].first == sources[j].first)
        mistakes.add(sources[i].second,
                     who + ": ports " + ticked(ins[j]->name) + " and " + ticked(ins[i]->name) +
                         " are wired to one value, but each needs its own: two layers, side by "
                         "side, make them");
}

void Wiring::connect(PlanNode& node, In& port, ValueId value, const Place& place) {
  node.inputs.push_back(value);
  if (!value) return;
  const PlanValue& source = plan_.values[value];
  if (source.dtype != port.traits.dtype)
    throw Error(place, node.path + " (" + node.kind + "): port " + ticked(port.name) + " takes " +
                           weft::name(port.traits.dtype) + " numbers, but " + ticked(source.path) +
                           " has " + weft::name(source.dtype));
  Host::wire(port, source.shape, true);
}

// Is the module frozen, or is it from another run and updated by no phase?
bool Wiring::rests(const ModuleDecl& module) const {
  if (module.frozen || module.from.empty()) return module.frozen;
  const auto updates = [&](const PhaseDecl& phase) {
    return std::any_of(phase.update.begin(), phase.update.end(),
                       [&](const Mention& mention) { return mention.text == module.name; });
  };
  return !pipeline_.train ||
         std::none_of(pipeline_.train->phases.begin(), pipeline_.train->phases.end(), updates);
}

// Axis 0 of what a node gives is the batch, as it is of what it gets.
void Wiring::check_rows(const Host& ports) {
  for (const In* in : ports.ins) {
    if (!in->wired() || in->shape().rank() == 0) continue;
    for (const Out* out : ports.outs)
      if (out->shape().rank() > 0 && out->rows() != in->rows())
        throw Error(Exit::plugin, "`" + std::string(out->name) + "` is " + out->shape().str() +
                                      ", but axis 0 is the batch, of " +
                                      std::to_string(in->rows()) + " rows");
    return;
  }
}

void Wiring::infer(PlanNode& node, Node& made) {
  const auto module = pipeline_.modules.find(node.module);
  node.setting.mode = plan_.mode;
  node.setting.fitted = plan_.fitted;
  node.setting.frozen = module != pipeline_.modules.end() && rests(module->second);
  node.setting.random_key =
      Random::key(plan_.seed, std::string(weft::name(plan_.mode)) + "/" + node.path);
  node.setting.module_key = Random::key(plan_.seed, "modules/" + node.weights);
  made.host().setting = node.setting;
  try {
    const Running now(node.path.c_str(), node.kind.c_str(), "infer()");
    made.infer();
    for (const Out* port : made.host().outs)
      if (!Host::shaped(*port))
        throw Error(Exit::plugin,
                    "gives its output " + ticked(port->name) + " no shape: a defect of the node");
    check_rows(made.host());
    for (const State* state : made.host().states)
      if (!Host::shaped(*state))
        throw Error(Exit::plugin,
                    "gives its state " + ticked(state->name) + " no shape: a defect of the node");
    keep_weights(node, made);
  } catch (...) {
    throw blame(node.place, who(node), "", wires(plan_, node, made.host()));
  }
}

// Weights and states belong to modules; every use of a module shares them.
void Wiring::keep_weights(const PlanNode& node, const Node& made) {
  const auto share = [&](const std::string& name, const Shape& shape, auto& all, auto&& fresh) {
    const auto same =
        std::find_if(all.begin(), all.end(), [&](const auto& w) { return w.name == name; });
    if (same == all.end())
      all.push_back(fresh());
    else if (same->shape != shape)
      throw Error(ticked(name) + " is " + shape.str() + " here, but " + same->shape.str() +
                  " in another use of its module");
  };
  const auto at_home = [&](const char* what) {
    if (node.module.empty())
      throw Error(std::string("has ") + what +
                  " outside of any module: only modules are updated and saved; put it under "
                  "`modules:` and `use:` it");
  };
  for (const Weight* weight : made.host().weights) {
    if (!weight->present()) continue;
    at_home("weights");
    const std::string name = node.weights + "." + weight->name;
    share(name, weight->shape(), plan_.weights, [&] {
      return PlanWeight{name, node.module, weight->shape(), weight->init()};
    });
  }
  for (const State* state : made.host().states) {
    at_home("state");
    const std::string name = node.weights + "." + state->name;
    share(name, state->shape(), plan_.states, [&] {
      return PlanState{name, state->shape(), state->init()};
    });
  }
}

}  // namespace weft

// The wiring of one node: what the user gave it, its shapes, and its place in the plan.
#include <algorithm>
#include <array>

#include "framework/language/fields.h"
#include "framework/node/measure.h"
#include "framework/node/optimizer.h"
#include "framework/node/sink.h"
#include "framework/plan/blame.h"
#include "framework/plan/checks.h"
#include "framework/plan/wiring.h"

namespace weft {

namespace {
// The keys that a user can write on a node of this kind.
std::vector<std::string> keys_of(const Node& node) {
  std::vector<std::string> keys;
  for (const In* port : node.host().ins) keys.emplace_back(port->name);
  for (const Ins* port : node.host().lists) keys.emplace_back(port->name);
  for (const ParamBase* param : node.host().params) keys.emplace_back(param->name);
  return keys;
}

void refuse_misplaced(const Node& node, const std::string& who, const std::string& module,
                      const Place& place) {
  if (dynamic_cast<const Optimizer*>(&node))
    throw Error(place, who + " is an optimizer: it belongs in `optimizer:` of a phase");
  if (dynamic_cast<const Source*>(&node) && !module.empty())
    throw Error(place, who + " is a data set: it belongs in a section, not in a module");
}

// The params of a source that say in which order its samples come: one beside `data` has those of
// `data`.
constexpr std::array order_params{"batch", "shuffle", "drop_last"};
}  // namespace

// The keys of one node as they are read.
struct Wiring::Reading {
  const NodeDecl& decl;
  const std::string who;
  Node& made;
  const Spelling spelling = {decl.keys, keys_of(made)};
  std::vector<std::pair<ValueId, Place>> sources = {};  // by port
  Mistakes mistakes = {};
  bool skipped = false;  // does it need something that failed and was reported?

  void need(const char* what, const auto& one) {
    if (spelling.lacks(one.name))
      mistakes.add(decl.place,
                   who + " needs its " + what + " " + ticked(one.name) + ": " + one.doc);
  }
};

Wiring::Outputs Wiring::wire_kind(Scope& scope, const NodeDecl& decl, const NodeKind& kind) {
  PlanNode node{.path = scope.path + decl.name, .kind = kind.name, .place = decl.place};
  node.has_backward = kind.has_backward, node.has_learn = kind.has_learn;
  node.module = scope.module;
  node.weights = scope.weights + decl.name;
  node.loop = scope.loop;
  std::unique_ptr<Node> made = registry_.make(kind.name);
  Reading reading{decl, decl.name.substr(0, decl.name.find('.')) + " (" + kind.name + ")", *made};
  refuse_misplaced(*made, reading.who, scope.module, decl.place);
  if (scope.loop && (dynamic_cast<Sink*>(made.get()) || dynamic_cast<Measure*>(made.get())))
    throw Error(decl.place, reading.who + " belongs behind the loop, not in it");
  for (const auto& [entry, near] : reading.spelling.unknown())
    reading.mistakes.add(entry->place, reading.who + " has no port or param " + ticked(entry->key) +
                                           near + "; it has " + listed(keys_of(*made)));
  read_ports(scope, reading, node);
  read_params(reading, node);
  refuse_alike(reading);
  reading.mistakes.check();
  if (reading.skipped) throw Skip{};
  for (size_t i = 0; i < reading.sources.size(); ++i)
    connect(node, *made->host().ins[i], reading.sources[i].first, reading.sources[i].second);
  infer(node, *made);
  refuse_other_length(*made, reading.who, decl.place);
  if (&scope == &top_ && &decl == data_) plan_.data = NodeId(plan_.nodes.size());
  const bool beside = dynamic_cast<const Source*>(made.get()) && &decl != data_;
  const Outputs outputs = add(std::move(node), std::move(made));
  return beside ? by_sample(scope, decl, outputs) : outputs;
}

void Wiring::read_ports(Scope& scope, Reading& reading, PlanNode& node) {
  const Host& host = reading.made.host();
  for (const In* port : std::vector(host.ins)) {
    const Yaml* ref = reading.decl.keys.find(port->name);
    if (!ref && !port->traits.optional) reading.need("port", *port);
    reading.sources.emplace_back(
        ref ? source(scope, reading, *ref, port->name, port->traits.optional) : ValueId(),
        ref ? ref->place() : reading.decl.place);
  }
  for (Ins* port : host.lists) {
    const Yaml* refs = reading.decl.keys.find(port->name);
    if (!refs)
      reading.need("port", *port);
    else if (refs->is_list() && refs->items().empty())
      reading.mistakes.add(
          refs->place(), reading.who + ": port " + ticked(port->name) + " needs at least one item");
    const auto items = !refs             ? std::vector<Yaml>{}
                       : refs->is_list() ? refs->items()
                                         : std::vector{*refs};
    for (const Yaml& item : items)
      reading.sources.emplace_back(source(scope, reading, item, port->name, false), item.place());
    node.lists.push_back(items.size());
    Host::resize(*port, reading.made, items.size());
  }
}

ValueId Wiring::source(Scope& scope, Reading& reading, const Yaml& ref, const char* port,
                       bool optional) {
  try {
    if (unresolved(ref)) throw Skip{};
    const ValueId value = resolve(scope, ref.to_text("port " + ticked(port)), ref.place());
    if (!value && !optional)
      reading.mistakes.add(ref.place(), reading.who + " needs its port " + ticked(port) +
                                            ", but gets an optional input that is not wired");
    return value;
  } catch (const Error& error) {
    reading.mistakes.add(error);
  } catch (const Skip&) {
    reading.skipped = true;
  }
  return {};
}

void Wiring::read_params(Reading& reading, PlanNode& node) const {
  const PlanNode* const data = data_beside(reading);
  const bool beside = &reading.decl != data_ && reading.decl.keys.find("beside");
  for (ParamBase* param : reading.made.host().params) {
    const Yaml* value = reading.decl.keys.find(param->name);
    const bool ordered =
        beside && std::ranges::count(order_params, std::string_view(param->name)) > 0;
    try {
      if (value && unresolved(*value))
        reading.skipped = true;
      else if (value && ordered)
        throw Error(ticked(param->name) +
                    " is that of `data`, beside which it stands: leave it out");
      else if (value)
        node.params.set(*param, *value, plan_.steps);
      else if (data && (ordered || param->check.chooses_samples) &&
               node.params.take(*param, data->params))
        continue;
      else if (param->required && !ordered)
        reading.need("param", *param);
    } catch (const Error& error) {
      add_at(reading.mistakes, value ? value->place() : reading.decl.place, error,
             reading.who + ": ");
    }
  }
}

// The section's `data` if this is a source that stands beside it.
const PlanNode* Wiring::data_beside(Reading& reading) const {
  const Yaml* const beside = reading.decl.keys.find("beside");
  if (!beside || !dynamic_cast<const Source*>(&reading.made)) return nullptr;
  if (&reading.decl == data_)
    reading.mistakes.add(beside->place(), reading.who +
                                              " is `data` itself: only another source "
                                              "can stand beside it");
  else if (!data_)
    reading.mistakes.add(beside->place(), reading.who +
                                              " cannot stand beside `data`: the section "
                                              "has none");
  else if (plan_.source())
    return &plan_.nodes[plan_.data];
  reading.skipped = true;  // what is wrong with `data` is told there
  return nullptr;
}

void Wiring::refuse_other_length(const Node& made, const std::string& who,
                                 const Place& place) const {
  const auto* const source = dynamic_cast<const Source*>(&made);
  if (source && !source->beside->empty() && source->samples() != plan_.source()->samples())
    throw Error(place, who + " has " + std::to_string(source->samples()) +
                           " samples, but `data`, beside which it stands, has " +
                           std::to_string(plan_.source()->samples()));
}

void Wiring::refuse_alike(Reading& reading) {
  const auto& ins = reading.made.host().ins;
  const auto& sources = reading.sources;
  for (size_t i = 0; i < ins.size() && ins.size() == sources.size(); ++i)
    for (size_t j = 0; ins[i]->traits.unlike && j < ins.size(); ++j)
      if (ins[j]->name == std::string_view(ins[i]->traits.unlike) && sources[i].first &&
          sources[i].first == sources[j].first)
        reading.mistakes.add(
            sources[i].second,
            reading.who + ": ports " + ticked(ins[j]->name) + " and " + ticked(ins[i]->name) +
                " are wired to one value, but each needs its own: two layers, side by "
                "side, make them");
}

void Wiring::connect(PlanNode& node, In& port, ValueId value, const Place& place) {
  node.inputs.push_back(value);
  if (!value) return;
  const PlanValue& source = plan_.values[value];
  if (!port.traits.any && source.dtype != port.traits.dtype)
    throw Error(place, node.path + " (" + node.kind + "): port " + ticked(port.name) + " takes " +
                           weft::name(port.traits.dtype) + " numbers, but " + ticked(source.path) +
                           " has " + weft::name(source.dtype) +
                           (source.dtype == DType::i32 ? ": `to_float` makes f32 of i32"
                                                       : ": `to_int` makes i32 of f32"));
  Host::wire(port, source.shape, source.dtype, true);
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

// The rows that a node works on: those of what it reads. Some ports also take what all samples
// share.
PlanRows Wiring::rows_read(const PlanNode& node, const Node& made) const {
  const std::vector<In*>& ports = made.host().ins;
  const PlanValue* first = nullptr;  // of the batch, if one is
  const char* name = "";
  for (size_t i = 0; i < ports.size(); ++i) {
    const PlanValue* const value = node.inputs[i] ? &plan_.values[node.inputs[i]] : nullptr;
    if (value && (!first || (first->rows.shared && !value->rows.shared)))
      first = value, name = ports[i]->name;
  }
  if (!first) return {};
  for (size_t i = 0; i < ports.size(); ++i) {
    const PlanValue* const value = node.inputs[i] ? &plan_.values[node.inputs[i]] : nullptr;
    if (!value || value->rows == first->rows) continue;
    if (ports[i]->traits.shared && value->rows == PlanRows{.shared = true}) continue;
    const std::string both = ticked(name) + " is " + first->shape.str() + " and " +
                             ticked(ports[i]->name) + " is " + value->shape.str();
    if (value->rows.shared && value->rows.each == 1)
      throw Error(both + ", which all samples share: `expand` gives each sample its copy");
    throw Error(both + ", which have " + std::to_string(first->rows.each) + " and " +
                std::to_string(value->rows.each) + " rows for each sample");
  }
  return first->rows;
}

void Wiring::infer(PlanNode& node, Node& made) {
  const auto module = pipeline_.modules.find(node.module);
  node.setting.mode = plan_.mode;
  node.setting.fitted = plan_.fitted;
  node.setting.frozen = module != pipeline_.modules.end() && rests(module->second);
  node.setting.random_key =
      Random::key(plan_.seed, std::string(weft::name(plan_.mode)) + "/" + node.path);
  node.setting.module_key = Random::key(plan_.seed, "modules/" + node.weights);
  if (node.loop) node.setting.turns = plan_.loops[node.loop].times;
  made.host().setting = node.setting;
  try {
    const Running now(node.path.c_str(), node.kind.c_str(), "infer()");
    node.rows = rows_read(node, made);
    made.infer();
    if (!node.make) check_inferred(made);
    if (std::ranges::none_of(node.inputs, [](ValueId input) { return bool(input); }))
      node.rows.shared =
          std::ranges::any_of(made.host().outs, [](const Out* out) { return Host::shared(*out); });
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
      return PlanWeight{name, node.module, weight->shape(), weight->init(),
                        Host::spectral(*weight)};
    });
    if (!Host::spectral(*weight)) continue;
    const Shape& shape = weight->shape();
    const auto vector = [&](const char* end, int64_t extent, Init init) {
      const Shape own{extent};
      share(name + end, own, plan_.states, [&] { return PlanState{name + end, own, init}; });
    };
    vector("_u", shape.rows(), Init::normal(1));
    vector("_v", shape.row_elements(), Init::constant(0));
  }
  for (const State* state : made.host().states) {
    at_home("state");
    const std::string name = node.weights + "." + state->name;
    share(name, state->shape(), plan_.states, [&] {
      return PlanState{name, state->shape(), state->init()};
    });
  }
}

Wiring::Outputs Wiring::add(PlanNode node, std::unique_ptr<Node> made) {
  const NodeId id(plan_.nodes.size());
  const std::vector<Out*>& ports = made->host().outs;
  Outputs outputs;
  for (const Out* port : ports) {
    node.outputs.push_back(plan_.values.add(
        {.path = node.path + (ports.size() == 1 ? "" : "." + std::string(port->name)),
         .shape = port->shape(),
         .dtype = port->dtype(),
         .rows = Host::shared(*port) || port->shape().rank() == 0 ? PlanRows{.shared = true}
                                                                  : node.rows,
         .node = id,
         .port = outputs.size()}));
    outputs.emplace_back(port->name, node.outputs.back());
  }
  for (size_t i = 0; i < node.inputs.size(); ++i)
    if (node.inputs[i]) plan_.values[node.inputs[i]].readers.push_back({id, i});
  node.node = std::move(made);
  plan_.nodes.push_back(std::move(node));
  return outputs;
}

}  // namespace weft

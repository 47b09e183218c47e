// Wires a node that runs for each item of its inputs' axis 1: its rows are the items of all
// samples.
#include <algorithm>

#include "framework/language/fields.h"
#include "framework/node/did_you_mean.h"
#include "framework/node/host.h"
#include "framework/node/source.h"
#include "framework/plan/item_nodes.h"
#include "framework/plan/wiring.h"

namespace weft {

// The names of the inputs that a node of the kind has, or a use of the module if that is given.
std::vector<std::string> Wiring::inputs_of(const std::string& kind, const std::string& module) {
  std::vector<std::string> names;
  if (const auto found = pipeline_.modules.find(module); found != pipeline_.modules.end())
    for (const Mention& input : found->second.graph.inputs) names.push_back(input.text);
  if (!module.empty()) return names;
  if (registry_.find(kind)) {
    const auto made = registry_.make(kind);
    for (const In* port : made->host().ins) names.emplace_back(port->name);
    return names;
  }
  const FragmentDecl* const fragment = this->fragment(kind);
  for (const char* key : {"inputs", "optional"})
    if (const Yaml* inputs = fragment ? fragment->body.find(key) : nullptr)
      for (const Yaml& input : inputs->items()) names.push_back(input.text());
  return names;
}

// Adds one of the nodes that take items apart or put them together.
Wiring::Outputs Wiring::add_items(const Scope& around, std::string path, const Place& place,
                                  std::function<std::unique_ptr<Node>()> make,
                                  const std::vector<ValueId>& inputs) {
  return add_own(around,
                 {.path = std::move(path),
                  .kind = "each",
                  .place = place,
                  .has_backward = true,
                  .make = std::move(make)},
                 inputs);
}

Wiring::Outputs Wiring::wire_each(Scope& scope, const NodeDecl& decl) {
  Scope around = within(scope);
  NodeDecl body = decl;
  body.each.clear();
  if (body.module.empty() && registry_.find(body.kind)) body.name += ".body";
  const auto give = [&](const std::string& input, ValueId value, const Place& place) {
    const std::string name = input + " (of each)";
    around.inputs[name] = value;
    body.keys.put(input, Yaml::scalar(name, place));
  };
  const auto add = [&](const std::string& what, ValueId from, const Place& place, PlanRows rows,
                       const std::function<std::unique_ptr<Node>()>& make) {
    const std::string path = scope.path + decl.name + "." + what;
    const ValueId value = add_items(around, path, place, make, {from}).front().second;
    plan_.values[value].rows = rows;
    return value;
  };
  const std::vector<std::string> inputs = inputs_of(decl.kind, decl.module);
  int64_t n = 0;
  PlanRows rows;
  for (const auto& [input, place] : decl.each) {
    const Yaml* const ref = decl.keys.find(input);
    if (!ref)
      throw Error(place, "`each` names " + ticked(input) + ", which the node is not given" +
                             did_you_mean(input, inputs));
    const ValueId from = resolve(scope, ref->to_text("port " + ticked(input)), ref->place());
    if (!from) throw Error(place, "`each` names an optional input that is not wired");
    const PlanValue value = plan_.values[from];
    const int64_t own = value.shape.rank() < 2 ? 0 : value.shape[1];
    if (own == 0 || (n != 0 && own != n))
      throw Error(place, "`each` names " + ticked(input) + ", which is " + value.shape.str() +
                             ", but axis 1 of all that it names must be alike, and 1 at least");
    n = own;
    rows = {value.rows.shared, value.rows.each * n};
    give(input, add(input, from, place, rows, [] { return std::make_unique<Items>(); }), place);
  }
  for (const std::string& input : inputs) {
    const Yaml* const ref = decl.keys.find(input);
    if (!ref || body.keys.find(input)->text() != ref->text() || !ref->is_scalar()) continue;
    const ValueId from = resolve(scope, ref->text(), ref->place());
    if (!from || plan_.values[from].rows != PlanRows{rows.shared, rows.each / n}) continue;
    give(input, add(input, from, ref->place(), rows, [n] { return std::make_unique<Repeated>(n); }),
         ref->place());
  }
  Outputs outputs;
  for (const auto& [name, value] : wire_once(around, body)) {
    const PlanRows own = plan_.values[value].rows;
    if (own != rows) {  // what all samples share
      outputs.emplace_back(name, value);
      continue;
    }
    outputs.emplace_back(name, add(name, value, decl.place, {own.shared, own.each / n},
                                   [n] { return std::make_unique<Samples>(n); }));
  }
  return outputs;
}

// The outputs of a source beside the data that has several times its batch: items of each sample.
Wiring::Outputs Wiring::by_sample(const Scope& scope, const NodeDecl& decl, Outputs outputs) {
  const Source* const data = plan_.source();
  const int64_t rows = outputs.empty() ? 0 : plan_.values[outputs[0].second].shape.rows();
  const int64_t n = data ? rows / *data->batch : 0;
  if (n < 2 || n * *data->batch != rows) return outputs;
  plan_.nodes[plan_.values[outputs[0].second].node].rows.each = n;
  for (auto& [name, value] : outputs) {
    plan_.values[value].rows.each = n;
    value = add_items(scope, plan_.values[value].path, decl.place,
                      [n] { return std::make_unique<Samples>(n); }, {value})
                .front()
                .second;
    plan_.values[value].rows.each = 1;
  }
  return outputs;
}

}  // namespace weft

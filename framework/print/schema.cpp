#include "framework/print/schema.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "framework/node/host.h"
#include "framework/node/optimizer.h"
#include "framework/node/source.h"
#include "framework/print/schema_parts.h"

namespace weft {

namespace {
using Json = nlohmann::ordered_json;

Json defined(const std::string& name) {
  return {{"$ref", "#/$defs/" + name}};
}

Json any_of(const std::vector<Json>& all) {
  return {{"anyOf", all}};
}

Json text(const std::string& about) {
  return {{"type", "string"}, {"description", about}};
}

Json count(int64_t least, const std::string& about) {
  return {{"anyOf", {{{"type", "integer"}, {"minimum", least}}, defined("variable")}},
          {"description", about}};
}

Json truth(const std::string& about) {
  return {{"anyOf", {{{"type", "boolean"}}, defined("variable")}}, {"description", about}};
}

// One item, or a list of them.
Json one_or_more(const Json& item, const std::string& about) {
  return {{"if", {{"type", "array"}}},
          {"then", {{"items", item}}},
          {"else", item},
          {"description", about}};
}

// A map of exactly these keys.
Json map_of(Json properties, const std::vector<std::string>& required = {}) {
  Json map{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) map["required"] = required;
  map["additionalProperties"] = false;
  return map;
}

// A map from names to such values.
Json named(const Json& value, const std::string& about) {
  return {{"type", "object"},
          {"propertyNames", defined("name")},
          {"additionalProperties", value},
          {"description", about}};
}

Json bound(double value) {
  return value == std::floor(value) && std::abs(value) < 1e15 ? Json(static_cast<int64_t>(value))
                                                              : Json(value);
}

// One value of a param, or one item if the param is a list.
Json item_schema(const ParamBase& param) {
  if (!param.check.choices.empty()) return {{"enum", param.check.choices}};
  switch (param.kind) {
    case ParamKind::boolean: return {{"type", "boolean"}};
    case ParamKind::text:
    case ParamKind::texts: return {{"type", {"string", "number", "boolean"}}};
    default: break;
  }
  const bool integer = param.kind == ParamKind::integer || param.kind == ParamKind::integers;
  Json number{{"type", integer ? "integer" : "number"}};
  if (param.check.least) number["minimum"] = bound(*param.check.least);
  if (param.check.most) number["maximum"] = bound(*param.check.most);
  if (param.check.above) number["exclusiveMinimum"] = bound(*param.check.above);
  if (param.check.below) number["exclusiveMaximum"] = bound(*param.check.below);
  return number;
}

Json param_schema(const ParamBase& param) {
  std::vector<Json> accepted{item_schema(param)};
  if (param.kind >= ParamKind::integers)  // one item needs no brackets
    accepted.push_back({{"type", "array"}, {"items", any_of({accepted[0], defined("variable")})}});
  accepted.push_back(defined("variable"));
  if (param.check.scheduled) accepted.push_back(defined("schedule"));
  Json schema = any_of(accepted);
  schema["description"] = param.doc;
  if (!param.required)
    schema["default"] = std::visit([](const auto& value) { return Json(value); }, param.value());
  return schema;
}

Json kind_schema(const NodeKind& kind, const Node& node) {
  Json keys{{"node", {{"const", kind.name}}}};
  std::vector<std::string> required{"node"};
  for (const In* port : node.host().ins) {
    keys[port->name] = {{"$ref", "#/$defs/reference"}, {"description", port->doc}};
    if (!port->traits.optional) required.emplace_back(port->name);
  }
  for (const Ins* port : node.host().lists) {
    keys[port->name] = one_or_more(defined("reference"), port->doc);
    required.emplace_back(port->name);
  }
  for (const ParamBase* param : node.host().params) {
    keys[param->name] = param_schema(*param);
    if (param->required) required.emplace_back(param->name);
  }
  if (!dynamic_cast<const Optimizer*>(&node))
    keys["repeat"] = defined("repeat"), keys["chain"] = defined("chain");
  Json schema = map_of(std::move(keys), required);
  schema["description"] = kind.about;
  return schema;
}

// Tells kinds apart by their `node`. A kind that is not known is a fragment, or in another plugin.
Json kinds_schema(const std::vector<std::string>& kinds) {
  Json cases = Json::array();
  for (const std::string& kind : kinds)
    cases.push_back(
        Json{{"if", {{"properties", {{"node", {{"const", kind}}}}}, {"required", {"node"}}}},
             {"then", defined("node." + kind)}});
  const Json node{{"anyOf", {{{"enum", kinds}}, {{"type", "string"}}}},
                  {"description", "A node kind, or a fragment."}};
  Json schema{{"type", "object"}, {"properties", {{"node", node}}}};
  if (!kinds.empty()) schema["allOf"] = std::move(cases);
  return schema;
}

Json use_schema() {
  return {{"type", "object"},
          {"properties",
           {{"use", text("A module of this pipeline; every use shares its weights.")},
            {"repeat", defined("repeat")},
            {"chain", defined("chain")}}},
          {"required", {"use"}},
          {"additionalProperties", defined("reference")}};
}

Json schedule_schema() {
  const Json number = any_of({{{"type", "number"}}, defined("variable")});
  const Json warmup = count(0, "Steps in which the value rises from 0 to `from`.");
  Json curve = map_of({{"schedule", {{"enum", {"linear", "cosine", "exponential"}}}},
                       {"from", number},
                       {"to", number},
                       {"warmup", warmup},
                       {"over", count(1, "Steps from `from` to `to`; the whole training.")}},
                      {"schedule", "from", "to"});
  Json constant =
      map_of({{"schedule", {{"const", "constant"}}}, {"from", number}, {"warmup", warmup}},
             {"schedule", "from"});
  Json piecewise =
      map_of({{"schedule", {{"const", "piecewise"}}},
              {"points",
               {{"type", "object"},
                {"propertyNames", {{"pattern", "^[0-9]"}}},
                {"additionalProperties", number},
                {"description", "The value from each step on: {0: 0.1, 500: 0.01}."}}}},
             {"schedule", "points"});
  Json schedule = any_of({std::move(curve), std::move(constant), std::move(piecewise)});
  schedule["description"] = "A number that changes with the step.";
  return schedule;
}

Json phase_schema() {
  Json group{{"type", "object"},
             {"properties", {{"match", text("A pattern of weights' names: \"*.bias\".")}}},
             {"required", {"match"}},
             {"description", "Params of the optimizer for some weights."}};
  return map_of(
      {{"name", defined("name")},
       {"minimize", {{"$ref", "#/$defs/reference"}, {"description", "The loss."}}},
       {"update", one_or_more({{"type", "string"}}, "The modules that learn.")},
       {"optimizer", defined("optimizer")},
       {"groups", one_or_more(group, "The first group that matches a weight updates it.")},
       {"clip",
        {{"anyOf", {{{"type", "number"}, {"minimum", 0}}, defined("variable")}},
         {"description", "The greatest norm of the phase's gradient; 0: any."}}},
       {"accumulate", count(1, "Steps whose gradients are averaged into one update.")},
       {"every", count(1, "Run in every n-th step.")}},
      {"minimize", "update", "optimizer"});
}

Json save_schema() {
  return map_of({{"every_steps", count(1, "Steps between checkpoints; else one an epoch.")},
                 {"keep", count(1, "Newest checkpoints to keep.")},
                 {"best", text("A reported value of `evaluate`; its best checkpoint is kept.")},
                 {"better", {{"enum", {"lowest", "highest"}}, {"default", "lowest"}}},
                 {"patience", count(1, "Stop after so many evaluations without a better one.")}});
}

Json graph_keys() {
  return {{"about", text("What it is, in a sentence.")},
          {"inputs", one_or_more(defined("name"), "The names of its inputs.")},
          {"optional", one_or_more(defined("name"), "Further inputs, which may be left out.")},
          {"nodes", defined("nodes")},
          {"outputs", named(defined("reference"), "Its outputs: {name: node.port}.")}};
}

Json module_schema() {
  Json keys = graph_keys();
  keys["frozen"] = truth("Its weights do not learn.");
  keys["from"] = any_of({text("A run whose weights it starts from: those of its last checkpoint."),
                         map_of({{"run", text("The run.")},
                                 {"checkpoint", any_of({text("last, best or a step."),
                                                        {{"type", "integer"}, {"minimum", 0}}})}},
                                {"run"})});
  keys["checkpoint"] = any_of({{{"type", "string"}}, {{"type", "integer"}}});
  keys["module"] = text("Its name in that run.");
  Json module = map_of(std::move(keys));
  module["if"] = {{"not", {{"required", {"from"}}}}};
  module["then"] = {{"required", {"nodes", "outputs"}}};
  return module;
}

Json fragment_schema() {
  Json keys = graph_keys();
  const Json param{{"type", "object"},
                   {"properties", {{"default", Json::object()}, {"about", {{"type", "string"}}}}}};
  keys["params"] = named(any_of({param, {{"not", {{"type", "object"}}}}}),
                         "Its params, variables inside: {width: {default: 64, about: …}}.");
  return map_of(std::move(keys), {"nodes", "outputs"});
}

Json section_schema(const Json& data) {
  return {{"data", data},
          {"nodes", defined("nodes")},
          {"report", one_or_more(defined("reference"), "Values to average over the samples.")},
          {"lanes", count(1, "Parts that a batch is cut into, computed independently.")}};
}

Json sections() {
  const Json other_data{{"if", {{"required", {"node"}}}},
                        {"then", defined("data")},
                        {"else", {{"type", "object"}}},
                        {"description", "A data set, or other params for that of `train`."}};
  Json train = section_schema(defined("data"));
  train["phases"] = one_or_more(defined("phase"), "What to minimize, and what to update for it.");
  train["epochs"] = count(1, "Times that the data is seen.");
  train["steps"] = count(1, "Batches of the training, in place of `epochs`.");
  train["save"] = defined("save");
  return {{"train", map_of(std::move(train))},
          {"evaluate", map_of(section_schema(other_data))},
          {"generate", map_of(section_schema(other_data))}};
}

// What a file needs unless it takes it from another by `include`.
Json whole_file() {
  const auto needs = [](const char* section, std::vector<std::string> keys) {
    return Json{{section, {{"required", std::move(keys)}}}};
  };
  Json properties = Json::object();
  properties.update(needs("evaluate", {"report"}));
  properties.update(needs("generate", {"nodes"}));
  return {{"required", {"weft"}},
          {"anyOf",
           {{{"required", {"train"}}}, {{"required", {"evaluate"}}}, {{"required", {"generate"}}}}},
          {"properties", properties}};
}

// Fills in the names of what is loaded.
Json definitions(const Registry& registry, KnownKinds& known) {
  Json kinds = Json::object();
  for (const std::string& name : registry.names()) {
    const auto node = registry.make(name);
    kinds["node." + name] = kind_schema(*registry.find(name)->kind, *node);
    (dynamic_cast<const Source*>(node.get())      ? known.data
     : dynamic_cast<const Optimizer*>(node.get()) ? known.optimizers
                                                  : known.nodes)
        .push_back(name);
  }
  known.nodes.insert(known.nodes.end(), known.data.begin(),
                     known.data.end());  // also beside `data`
  Json all{{"name", {{"type", "string"}, {"pattern", "^[A-Za-z_-][A-Za-z0-9_-]{0,99}$"}}},
           {"variable",
            {{"type", "string"}, {"pattern", "^\\$"}, {"description", "$name, or $(arithmetic)."}}},
           {"reference", text("`node`, `node.port` or an input of the module.")},
           {"repeat",
            {{"anyOf",
              {{{"type", "integer"}, {"minimum", 1}, {"maximum", 10000}},
               {{"type", "array"}, {"minItems", 1}},
               defined("variable")}},
             {"description", "Repeat the node so often, or once for each `$item` of a list."}}},
           {"chain", text("The port that the one before feeds; x if not given.")},
           {"schedule", schedule_schema()},
           {"use", use_schema()},
           {"nodes", named({{"if", {{"required", {"use"}}}},
                            {"then", defined("use")},
                            {"else", {{"$ref", "#/$defs/node"}, {"required", {"node"}}}}},
                           "Nodes by name.")},
           {"phase", phase_schema()},
           {"save", save_schema()},
           {"module", module_schema()},
           {"fragment", fragment_schema()},
           {"data", kinds_schema(known.data)},
           {"optimizer", kinds_schema(known.optimizers)},
           {"node", kinds_schema(known.nodes)}};
  all["data"]["required"] = all["optimizer"]["required"] = {"node"};
  all.update(kinds);
  return all;
}
}  // namespace

std::string pipeline_schema(const Registry& registry, const std::vector<std::string>& fragments) {
  Json keys{{"weft", {{"const", 1}, {"description", "The version of the language."}}},
            {"name", defined("name")},
            {"about", text("What the pipeline is, in a sentence.")},
            {"vars", named(Json::object(), "Variables, used as `$name`; `--set` changes them.")},
            {"seed", count(0, "Of all random numbers.")},
            {"precision",
             {{"enum", {"f32", "bf16", "auto"}},
              {"default", "f32"},
              {"description", "Of products; `auto` is bf16 where the CPU has it."}}},
            {"include", one_or_more({{"type", "string"}}, "Files that this one starts from.")},
            {"plugins", one_or_more({{"type", "string"}}, "Further plugins, beside this file.")},
            {"modules", named(defined("module"), "Graphs that learn, shared by every `use:`.")},
            {"fragments", named(defined("fragment"), "Graphs made anew by every `node:`.")}};
  keys.update(sections());
  KnownKinds known;
  Json all = definitions(registry, known);
  all["pipeline"] = map_of(std::move(keys));
  Json parts = Json::object();
  for (const auto& [name, definition] : all.items()) parts["part." + name] = part_of(definition);
  all.update(parts);

  for (std::vector<std::string>* own : {&known.data, &known.nodes})  // a fragment may be either
    own->insert(own->end(), fragments.begin(), fragments.end());
  const Json open{{"anyOf", {{{"required", {"fragments"}}}, {{"required", {"plugins"}}}}}};
  const Json closed{{"if", {{"not", open}}}, {"then", of_known_kinds(known)}};
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "weft pipeline"},
              {"type", "object"},
              {"if", {{"required", {"include"}}}},
              {"then", defined("part.pipeline")},
              {"else", {{"allOf", {defined("pipeline"), whole_file(), closed}}}}};
  schema["$defs"] = std::move(all);
  return schema.dump(2) + "\n";
}

}  // namespace weft

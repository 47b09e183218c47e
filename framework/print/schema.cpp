#include "framework/print/schema.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "framework/language/keys.h"
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

Json or_variable(const Json& schema) {
  return any_of({schema, defined("variable")});
}

Json described(Json schema, const std::string& about) {
  schema["description"] = about;
  return schema;
}

// The schema of one item, or a list of such items.
Json one_or_more(const Json& item) {
  return {{"if", {{"type", "array"}}}, {"then", {{"items", item}}}, {"else", item}};
}

Json bound(double value) {
  return value == std::floor(value) && std::abs(value) < 1e15 ? Json(static_cast<int64_t>(value))
                                                              : Json(value);
}

Json number_schema(const char* type, const Check& check) {
  Json number{{"type", type}};
  if (check.least) number["minimum"] = bound(*check.least);
  if (check.most) number["maximum"] = bound(*check.most);
  if (check.above) number["exclusiveMinimum"] = bound(*check.above);
  if (check.below) number["exclusiveMaximum"] = bound(*check.below);
  return number;
}

// The schema of a param's value or, if the param is a list, of one item.
Json item_schema(const ParamBase& param) {
  if (!param.check.choices.empty()) return {{"enum", param.check.choices}};
  switch (param.kind) {
    case ParamKind::boolean: return {{"type", "boolean"}};
    case ParamKind::text:
    case ParamKind::texts: return {{"type", {"string", "number", "boolean"}}};
    default: break;
  }
  const bool integer = param.kind == ParamKind::integer || param.kind == ParamKind::integers;
  return number_schema(integer ? "integer" : "number", param.check);
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

// The schema of one value of a key.
Json value_schema(const Value& value) {
  if (!value.check.choices.empty()) return {{"enum", value.check.choices}};
  switch (value.type) {
    case Type::text: return {{"type", "string"}};
    case Type::boolean: return or_variable({{"type", "boolean"}});
    case Type::integer: return or_variable(number_schema("integer", value.check));
    case Type::number: return or_variable(number_schema("number", value.check));
    case Type::name: return defined("name");
    case Type::reference: return defined("reference");
    case Type::checkpoint:
      return {{"type", {"integer", "string"}},
              {"minimum", 0},
              {"pattern", "^(last|best|[0-9]+|\\$.*)$"}};
    case Type::repeat:
      return or_variable(any_of({{{"type", "integer"}, {"minimum", 1}, {"maximum", 10000}},
                                 {{"type", "array"}, {"minItems", 1}}}));
    case Type::points:
      return {{"type", "object"},
              {"propertyNames", {{"pattern", "^[0-9]"}}},
              {"additionalProperties", or_variable({{"type", "number"}})}};
    case Type::version: return {{"const", 1}};
    case Type::anything: return Json::object();
    case Type::map: return defined(value.keys->name);
  }
  return {};
}

Json key_schema(const Key& key) {
  const Value& value = key.value;
  Json schema = value_schema(value);
  if (value.alone == Type::anything)
    schema = any_of({schema, {{"not", {{"type", "object"}}}}});
  else if (value.alone)
    schema = any_of({value_schema({*value.alone}), schema});
  if (value.count == Value::Count::some) schema = one_or_more(schema);
  if (value.count == Value::Count::named)
    schema = {
        {"type", "object"}, {"propertyNames", defined("name")}, {"additionalProperties", schema}};
  if (*value.standard) {
    const Json standard = Json::parse(value.standard, nullptr, false);
    schema["default"] = standard.is_discarded() ? Json(value.standard) : standard;
  }
  return described(std::move(schema), key.about);
}

// The schema of a map of the language.
Json map_schema(const Keys& keys) {
  if (!keys.variations.empty()) {
    std::vector<Json> variations;
    for (const Keys* one : keys.variations) variations.push_back(map_schema(*one));
    return described(any_of(variations), keys.about);
  }
  Json map{{"type", "object"}};
  for (const Key& key : keys.all) {
    map["properties"][key.name] = key_schema(key);
    const auto& unless = key.value.unless;
    std::vector<Json> others;
    for (const char* other : unless) others.push_back({{"required", {other}}});
    if (!unless.empty()) map["if"] = {{"not", any_of(others)}};
    if (key.value.required) (unless.empty() ? map : map["then"])["required"].push_back(key.name);
  }
  if (!*keys.further) map["additionalProperties"] = false;
  return described(std::move(map), keys.about);
}

constexpr const char* shared[] = {"repeat", "chain", "each"};  // keys of every node, defined once

Json kind_schema(const NodeKind& kind, const Node& node) {
  Json keys{{"node", {{"const", kind.name}}}};
  std::vector<std::string> required{"node"};
  for (const In* port : node.host().ins) {
    keys[port->name] = described(defined("reference"), port->doc);
    if (!port->traits.optional) required.emplace_back(port->name);
  }
  for (const Ins* port : node.host().lists) {
    keys[port->name] = described(one_or_more(defined("reference")), port->doc);
    required.emplace_back(port->name);
  }
  for (const ParamBase* param : node.host().params) {
    keys[param->name] = param_schema(*param);
    if (param->required) required.emplace_back(param->name);
  }
  const bool source = dynamic_cast<const Source*>(&node);
  if (source) std::erase(required, "batch");
  if (!dynamic_cast<const Optimizer*>(&node)) {
    for (const char* key : shared) keys[key] = defined(key);
    keys["loop"] = defined("loop");
  }
  Json schema{{"type", "object"},
              {"properties", std::move(keys)},
              {"required", required},
              {"additionalProperties", false},
              {"description", kind.about}};
  if (source) schema["anyOf"] = {{{"required", {"batch"}}}, {{"required", {"beside"}}}};
  return schema;
}

// The schema of a node: that of its kind, which its `node` names. Unknown kinds may have any keys:
// they are fragments, or come from another plugin.
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
  Json use = map_schema(keys::node);
  for (const char* key : {"node", "formula", "gradient", "of"}) use["properties"].erase(key);
  for (const char* key : shared) use["properties"][key] = defined(key);
  use["required"] = {"use"};
  use["additionalProperties"] = defined("reference");
  return use;
}

Json gradient_schema() {
  Json gradient = map_schema(keys::node);
  Json keys = Json::object();
  for (const char* key : {"gradient", "of"}) keys[key] = gradient["properties"][key];
  gradient["properties"] = std::move(keys);
  gradient["required"] = {"gradient", "of"};
  gradient["additionalProperties"] = false;
  return gradient;
}

Json formula_schema() {
  Json formula = map_schema(keys::node);
  Json keys{{"formula", formula["properties"]["formula"]}};
  for (const char* key : {"repeat", "chain"}) keys[key] = defined(key);
  formula["properties"] = std::move(keys);
  formula["required"] = {"formula"};
  formula["additionalProperties"] = defined("reference");
  return formula;
}

Json words() {
  return {
      {"name", {{"type", "string"}, {"pattern", "^[A-Za-z_-][A-Za-z0-9_-]{0,99}$"}}},
      {"variable",
       {{"type", "string"}, {"pattern", "^\\$"}, {"description", "$name, or $(arithmetic)."}}},
      {"reference",
       {{"type", "string"}, {"description", "`node`, `node.port` or an input of the module."}}}};
}

// The definitions that the schema refers to; adds the names of loaded kinds to `known`.
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
                     known.data.end());  // sources may also be nodes
  Json all = words();
  for (const Keys* keys : keys::all()) all[keys->name] = map_schema(*keys);
  for (const char* key : shared) all[key] = key_schema(*keys::node.find(key));
  all["use"] = use_schema();
  all["node"] = kinds_schema(known.nodes);
  all["node"]["if"] = {{"required", {"use"}}};
  all["node"]["then"] = defined("use");
  all["gradient"] = gradient_schema();
  all["formula"] = formula_schema();
  const Json others{{"if", {{"required", {"formula"}}}},
                    {"then", defined("formula")},
                    {"else", {{"required", {"node"}}}}};
  all["node"]["else"] = {
      {"if", {{"required", {"gradient"}}}}, {"then", defined("gradient")}, {"else", others}};
  Json any = Json::array();
  for (const char* key : keys::kinds_of_node) any.push_back({{"required", {key}}});
  all["other_node"] = {
      {"if", {{"anyOf", any}}}, {"then", defined("node")}, {"else", {{"type", "object"}}}};
  all["data"] = kinds_schema(known.data);
  all["optimizer"] = kinds_schema(known.optimizers);
  all["data"]["required"] = all["optimizer"]["required"] = {"node"};
  all["other_data"] = {
      {"if", {{"required", {"node"}}}}, {"then", defined("data")}, {"else", {{"type", "object"}}}};
  all.update(kinds);
  return all;
}
}  // namespace

std::string pipeline_schema(const Registry& registry, const std::vector<std::string>& fragments) {
  KnownKinds known;
  Json all = definitions(registry, known);
  Json parts = Json::object();
  for (const auto& [name, definition] : all.items()) parts["part." + name] = part_of(definition);
  all.update(parts);

  for (std::vector<std::string>* own : {&known.data, &known.nodes})  // a fragment may be either
    own->insert(own->end(), fragments.begin(), fragments.end());
  const Json open{{"anyOf", {{{"required", {"fragments"}}}, {{"required", {"plugins"}}}}}};
  const Json closed{{"if", {{"not", open}}}, {"then", of_known_kinds(known)}};
  const Json a_section{
      {"anyOf",
       {{{"required", {"train"}}}, {{"required", {"evaluate"}}}, {{"required", {"generate"}}}}}};
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "weft pipeline"},
              {"type", "object"},
              {"if", {{"required", {"include"}}}},
              {"then", defined("part.pipeline")},
              {"else", {{"allOf", {defined("pipeline"), a_section, closed}}}}};
  schema["$defs"] = std::move(all);
  return schema.dump(2) + "\n";
}

}  // namespace weft

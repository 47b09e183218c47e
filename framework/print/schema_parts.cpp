#include "framework/print/schema_parts.h"

namespace weft {

using Json = nlohmann::ordered_json;

namespace {
Json or_null(const Json& schema) {
  return {{"anyOf", {part_of(schema), {{"type", "null"}}}}};
}
}  // namespace

Json part_of(const Json& schema) {
  const std::string definitions = "#/$defs/";
  if (schema.is_array()) {
    Json all = Json::array();
    for (const Json& each : schema) all.push_back(part_of(each));
    return all;
  }
  if (!schema.is_object()) return schema;
  Json part = Json::object();
  for (const auto& [key, value] : schema.items()) {
    if (key == "required") continue;
    if (key == "if" || key == "enum" || key == "const" || key == "default" || key == "type") {
      part[key] = value;
    } else if (key == "$ref") {
      part[key] = definitions + "part." + value.get<std::string>().substr(definitions.size());
    } else if (key == "properties") {
      for (const auto& [name, property] : value.items()) part[key][name] = or_null(property);
    } else if (key == "additionalProperties" && value.is_object()) {
      part[key] = or_null(value);
    } else {
      part[key] = part_of(value);
    }
  }
  return part;
}

Json of_known_kinds(const KnownKinds& kinds) {
  const auto one_of = [](const std::vector<std::string>& names) {
    const Json variable{{"type", "string"}, {"pattern", "^\\$"}};
    return Json{{"properties", {{"node", {{"anyOf", {{{"enum", names}}, variable}}}}}}};
  };
  const Json graph{{"properties", {{"nodes", {{"additionalProperties", one_of(kinds.nodes)}}}}}};
  const Json phase{{"properties", {{"optimizer", one_of(kinds.optimizers)}}}};
  Json section = graph;
  section["properties"]["data"] = one_of(kinds.data);
  Json train = section;
  train["properties"]["phases"] = phase;
  train["properties"]["phases"]["items"] = phase;
  return {{"properties",
           {{"modules", {{"additionalProperties", graph}}},
            {"train", train},
            {"evaluate", section},
            {"generate", section}}}};
}

}  // namespace weft

// The description of the language: its maps and their keys.
#include <fmt/format.h>

#include "framework/language/fields.h"
#include "framework/language/keys.h"
#include "framework/print/describe.h"

namespace weft {

namespace {
std::string one(const Value& value) {
  if (!value.check.choices.empty()) return listed(value.check.choices);
  switch (value.type) {
    case Type::text: return "text";
    case Type::name: return "name";
    case Type::boolean: return "true or false";
    case Type::integer: return "integer" + range(value.check);
    case Type::number: return "number" + range(value.check);
    case Type::reference: return "reference";
    case Type::checkpoint: return "last, best or a step";
    case Type::repeat: return "integer, 1 to 10000, or a list";
    case Type::points: return "numbers by step";
    case Type::version: return "1";
    case Type::map: return "[" + std::string(value.keys->name) + "](#" + value.keys->name + ")";
    case Type::anything: return "any value";
  }
  return "";
}

std::string type_of(const Value& value) {
  std::string type = one(value);
  if (value.alone) type = one({*value.alone}) + " or " + type;
  if (value.count == Value::Count::some) return "list: " + type;
  if (value.count == Value::Count::named) return "by name: " + type;
  return type;
}

std::string default_of(const Value& value) {
  if (value.required && !value.unless.empty())
    return fmt::format("required without `{}`", fmt::join(value.unless, "` and `"));
  return value.required ? "required" : value.standard;
}

std::string section(const Keys& keys) {
  std::string page = "\n## " + std::string(keys.name) + "\n\n" + cell(keys.about) +
                     "\n\n| key | type | default | |\n|---|---|---|---|\n";
  for (const Key& key : keys.all)
    page += "| `" + std::string(key.name) + "` | " + cell(type_of(key.value)) + " | " +
            cell(default_of(key.value)) + " | " + cell(key.about) + " |\n";
  if (*keys.further) page += "\nFurther keys: " + cell(keys.further) + "\n";
  for (const Keys* variation : keys.variations) {
    std::vector<std::string> own;
    for (const Key& key : variation->all)
      if (key.value.check.choices.empty()) own.push_back("`" + std::string(key.name) + "`");
    page += (variation == keys.variations[0] ? "\n- " : "- ") + one(variation->all[0].value) +
            ", " + variation->about + ": " + listed(own) + "\n";
  }
  return page;
}
}  // namespace

std::string language_page() {
  std::string page =
      "# The language\n\n"
      "The maps of a pipeline file, and their keys; any other key is a mistake. `./dev docs` "
      "writes "
      "this page from the tables by which weft reads. [Writing pipelines](pipelines.md) explains "
      "how they play together, the [node reference](nodes.md) has the keys of nodes.\n\n"
      "A name is letters, digits, `_` and `-`, not first a digit. A reference is `node`, "
      "`node.port`, or an input of the graph. Where a list is taken, one item needs no brackets; a "
      "map *by name* has names of your own as keys. `$name` and `$(…)` may stand for any value. A "
      "key left blank is a mistake, but for one that takes away what `include` brings.\n";
  for (const Keys* keys : keys::all()) page += section(*keys);
  return page;
}

}  // namespace weft

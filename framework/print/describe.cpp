#include "framework/print/describe.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "framework/node/did_you_mean.h"
#include "framework/node/host.h"
#include "framework/node/measure.h"
#include "framework/node/optimizer.h"
#include "framework/node/source.h"

namespace weft {

namespace {
std::string text(double number) {
  if (number == std::floor(number) && std::abs(number) < 1e15)
    return std::to_string(static_cast<int64_t>(number));
  char digits[32];
  std::string all(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
  if (const size_t zero = all.find("e-0"); zero != std::string::npos) all.erase(zero + 2, 1);
  return all;
}
std::string text(int64_t number) {
  return std::to_string(number);
}
std::string text(bool truth) {
  return truth ? "true" : "false";
}
std::string text(const std::string& word) {
  return word.empty() ? "\"\"" : word;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ", ") + word;
  return all;
}

template <class T>
std::string text(const std::vector<T>& items) {
  std::vector<std::string> words;
  words.reserve(items.size());
  for (const T& item : items) words.push_back(text(item));
  return "[" + joined(words) + "]";
}

std::string type_of(const ParamBase& param) {
  if (!param.check.choices.empty())
    return (param.kind == ParamKind::texts ? "list of " : "") + joined(param.check.choices);
  switch (param.kind) {
    case ParamKind::boolean: return "true or false";
    case ParamKind::integer: return "integer" + range(param.check);
    case ParamKind::number:
      return (param.check.scheduled ? "number or schedule" : "number") + range(param.check);
    case ParamKind::text: return "text";
    case ParamKind::integers: return "list of integers" + range(param.check);
    case ParamKind::numbers: return "list of numbers" + range(param.check);
    case ParamKind::texts: return "list of texts";
  }
  return "";
}

template <class Port>
Member input(const Port& port, const std::string& prefix) {
  std::string type = prefix + (port.traits.any ? "any" : name(port.traits.dtype));
  if (port.traits.optional) type += ", optional";
  if (!port.traits.grad && port.traits.dtype == DType::f32) type += ", no gradient";
  return {"input", port.name, type, "", port.doc};
}

std::vector<Member> members(const Node& node) {
  std::vector<Member> all;
  for (const In* port : node.host().ins) all.push_back(input(*port, ""));
  for (const Ins* port : node.host().lists) all.push_back(input(*port, "list of "));
  for (const Out* port : node.host().outs)
    all.push_back(
        {"output", port->name, Host::of_any(*port) ? "any" : name(port->dtype()), "", port->doc});
  for (const ParamBase* param : node.host().params) {
    const std::string value =
        param->required ? "required"
                        : std::visit([](const auto& v) { return text(v); }, param->value());
    all.push_back({"param", param->name, type_of(*param), value, param->doc});
  }
  for (const Weight* weight : node.host().weights)
    all.push_back({"weight", weight->name, "", "", weight->doc});
  for (const State* state : node.host().states)
    all.push_back({"state", state->name, "", "", state->doc});
  for (const Slot* slot : node.host().slots) all.push_back({"slot", slot->name, "", "", slot->doc});
  return all;
}

std::string place_in_file(const Node& node) {
  if (dynamic_cast<const Source*>(&node)) return "A data set, for `data` or beside it.";
  if (dynamic_cast<const Optimizer*>(&node)) return "An optimizer, for `phases`.";
  if (dynamic_cast<const Measure*>(&node))
    return "A measure of a whole set, for `report` of `evaluate`.";
  if (node.host().outs.empty()) return "A sink: it writes files, in `evaluate` and `generate`.";
  return "";
}

using Groups = std::map<std::string, std::vector<const NodeKind*>>;  // plugin to sorted kinds
Groups by_plugin(const Registry& registry) {
  Groups groups;
  for (const std::string& name : registry.names()) {
    const Registry::Entry& entry = *registry.find(name);
    groups[entry.plugin].push_back(entry.kind);
  }
  return groups;
}

std::string padded(const std::string& word, size_t width) {
  return word + std::string(width - std::min(width, word.size()), ' ');
}

// Can a phase not train through a gradient of the node?
bool lacks_second_derivatives(const NodeKind& kind, const Node& node) {
  return kind.has_backward && node.twice() == Twice::no;
}
constexpr const char* no_second = "No phase trains through a `gradient` of it.";

std::string section_of(const Registry& registry, const NodeKind& kind) {
  const auto node = registry.make(kind.name);
  const std::string place = place_in_file(*node);
  const std::string more =
      lacks_second_derivatives(kind, *node) ? std::string(" ") + no_second : "";
  return section(kind.name, kind.about + (place.empty() ? "" : " " + place) + more, members(*node));
}
}  // namespace

std::string cell(std::string_view words) {
  std::string out;
  bool code = false;
  for (const char c : words) {
    code ^= c == '`';
    if (c == '|' || (!code && (c == '<' || c == '*'))) out += '\\';
    out += c;
  }
  return out;
}

std::string range(const Check& check) {
  if (check.least && check.most) return ", " + text(*check.least) + " to " + text(*check.most);
  std::string all;
  if (check.least) all += ", at least " + text(*check.least);
  if (check.above) all += ", above " + text(*check.above);
  if (check.most) all += ", at most " + text(*check.most);
  if (check.below) all += ", below " + text(*check.below);
  return all;
}

std::string section(const std::string& name, const std::string& about,
                    const std::vector<Member>& members) {
  std::string page = "### " + name + "\n\n" + cell(about) + "\n\n    " + usage(name, members) +
                     "\n\n| | name | type | default | |\n|---|---|---|---|---|\n";
  for (const Member& member : members)
    page += std::string("| ") + member.role + " | `" + member.name + "` | " + cell(member.type) +
            " | " + cell(member.value) + " | " + cell(member.doc) + " |\n";
  return page + "\n";
}

std::string line(const std::string& name, size_t width, const std::string& about) {
  return "  " + padded(name, width) + "  " + about + "\n";
}

std::string print(const std::vector<Member>& members) {
  size_t width = 0;
  for (const Member& member : members) width = std::max(width, member.name.size());
  const std::string indent(width + 4, ' ');
  std::string out, role;
  for (const Member& member : members) {
    if (role != member.role) out += "\n" + std::string(member.role) + "s\n";
    role = member.role;
    std::string type = member.type;
    if (!member.value.empty())
      type += (type.empty() ? "" : "; ") +
              (member.value == "required" ? "required" : member.value + " if not given");
    if (!type.empty() && !member.doc.empty()) type.append("\n").append(indent);
    const std::string rest = type + member.doc;
    out += rest.empty() ? "  " + member.name + "\n" : line(member.name, width, rest);
  }
  return out;
}

std::string usage(const std::string& name, const std::vector<Member>& members) {
  std::string keys = "node: " + name;
  for (const Member& member : members) {
    const std::string role = member.role;
    if (role == "param" ? member.value == "required"
                        : role == "input" && member.type.find("optional") == std::string::npos)
      keys += ", " + member.name +
              (member.type.starts_with("list of") && role == "input" ? ": […, …]" : ": …");
  }
  return "{" + keys + "}";
}

std::string list_kinds(const Registry& registry) {
  size_t width = 0;
  for (const std::string& name : registry.names()) width = std::max(width, name.size());
  std::string out;
  for (const auto& [plugin, kinds] : by_plugin(registry)) {
    out += (out.empty() ? "" : "\n") + plugin + "\n";
    for (const NodeKind* kind : kinds) out += line(kind->name, width, kind->about);
  }
  return out;
}

std::string describe_kind(const Registry& registry, const std::string& name) {
  const Registry::Entry* entry = registry.find(name);
  if (!entry)
    throw Error("no plugin has a node `" + name + "`" + did_you_mean(name, registry.names()) +
                "; `weft nodes` lists them all, those of plugins in WEFT_PLUGIN_PATH too");
  const auto node = registry.make(name);
  const Plugin& plugin = *registry.plugin(entry->plugin);
  const std::string place = place_in_file(*node);
  const auto all = members(*node);
  std::string out = name + " — " + entry->kind->about + "\n";
  if (!place.empty()) out += place + "\n";
  out += "plugin " + plugin.name + " " + plugin.version + ", " + entry->file + "\n\n  " +
         usage(name, all) + "\n";
  if (lacks_second_derivatives(*entry->kind, *node)) out += std::string("\n") + no_second + "\n";
  return out + print(all) + "\nexample, with shapes where a pipeline has references\n  " +
         entry->kind->example + "\n";
}

std::string reference_page(const Registry& registry) {
  const Groups groups = by_plugin(registry);
  std::string page =
      "# Nodes\n\n"
      "What can stand behind `node:` in a pipeline. `./dev docs` writes this page from the nodes "
      "themselves; `weft nodes NAME` prints one of them, also of your own plugins. Fragments, at "
      "the end, are graphs of other nodes.\n\n"
      "A reference (`node` or `node.port`) wires an input. A number that may follow a "
      "schedule takes `{schedule: cosine, from: 1e-3, to: 0}` too. Weights and states are kept "
      "under the names given here; slots are what an optimizer keeps for each element of a "
      "weight.\n\n";
  for (const auto& [plugin, kinds] : groups) {
    page.append("- [").append(plugin).append("](#").append(plugin).append("):");
    for (const NodeKind* kind : kinds)
      page.append(kind == kinds[0] ? " [" : ", [")
          .append(kind->name)
          .append("](#")
          .append(kind->name)
          .append(")");
    page += "\n";
  }
  for (const auto& [plugin, kinds] : groups) {
    page += "\n## " + plugin + "\n\n";
    for (const NodeKind* kind : kinds) page += section_of(registry, *kind);
    page.pop_back();
  }
  return page;
}

}  // namespace weft

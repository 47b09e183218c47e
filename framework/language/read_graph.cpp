#include "framework/language/read_graph.h"

#include <algorithm>
#include <set>

#include "framework/language/keys.h"

namespace weft {

Mention read_mention(const Yaml& value, const std::string& what, Mistakes& mistakes) {
  try {
    if (value.to_text(what).empty()) throw Error(value.place(), what + " cannot be \"\"");
    return {value.text(), value.place()};
  } catch (const Error& error) {
    mistakes.add(error);
    return {"", value.place()};
  }
}

std::vector<Mention> read_mentions(const Fields& fields, const std::string& key,
                                   const std::string& what, Mistakes& mistakes) {
  std::vector<Mention> mentions;
  std::set<std::string> texts;
  for (const Yaml& item : fields.list(key)) {
    const Mention mention = read_mention(item, what, mistakes);
    if (mention.text.empty()) continue;
    if (!texts.insert(mention.text).second)
      mistakes.add(mention.place, what + " is given twice: " + ticked(mention.text));
    else
      mentions.push_back(mention);
  }
  return mentions;
}

namespace {
std::vector<std::pair<std::string, Mention>> read_named(const Fields& fields,
                                                        const std::string& key,
                                                        Mistakes& mistakes) {
  std::vector<std::pair<std::string, Mention>> all;
  const Yaml* map = fields.take(key);
  if (map && !map->is_map())
    mistakes.add(map->place(), ticked(key) + " of a loop must be a map: {name: node.port}");
  if (map && map->is_map())
    for (const auto& [name, place, value] : map->entries())
      all.emplace_back(name, read_mention(value, ticked(name) + " of " + ticked(key), mistakes));
  return all;
}

std::optional<GradientDecl> read_gradient(const Fields& fields, Mistakes& mistakes) {
  const Yaml* const of = fields.take("gradient");
  if (!of) return std::nullopt;
  GradientDecl gradient{.of = read_mention(*of, "`gradient`", mistakes)};
  if (const Yaml* by = fields.take("of"))
    gradient.by = read_mention(*by, "`of`", mistakes);
  else
    mistakes.add(of->place(), "a gradient needs the key `of`: by what it is taken");
  return gradient;
}

LoopDecl read_loop(const Yaml& map, Mistakes& mistakes) {
  LoopDecl loop{.place = map.place()};
  Fields fields(map, keys::loop, "a loop", mistakes);
  loop.times = std::max<int64_t>(1, fields.integer("times"));
  loop.carry = read_named(fields, "carry", mistakes);
  if (const Yaml* carry = fields.need("carry"); carry && carry->is_map() && loop.carry.empty())
    mistakes.add(carry->place(), "a loop must carry something");
  loop.collect = read_named(fields, "collect", mistakes);
  if (const Yaml* over = fields.take("over"); over && over->is_map())
    for (const auto& [name, place, value] : over->entries()) loop.over.emplace_back(name, value);
  else if (over)
    mistakes.add(over->place(), "`over` of a loop must be a map: {t: turn}");
  loop.unroll = fields.boolean("unroll");
  if (const Yaml* until = fields.take("until"))
    loop.until = read_mention(*until, "`until`", mistakes);
  if (loop.until && loop.unroll)
    mistakes.add(loop.until->place, "a loop that is unrolled has all its turns: leave out `until`");
  return loop;
}
}  // namespace

NodeDecl read_node(const std::string& name, const Place& place, const Yaml& map,
                   Mistakes& mistakes) {
  NodeDecl node{.name = name, .place = place};
  const size_t dot = std::min(name.find('.'), name.size());  // "block.2" is the third of a repeat
  if (!is_name(name.substr(0, dot)) || name.find_first_not_of("0123456789", dot + 1) != name.npos)
    mistakes.add(place, "a node's name is letters, digits and `_`, not " + ticked(name));
  Fields fields(map, keys::node, "node " + ticked(name), mistakes);
  node.kind = fields.text("node");
  node.module = fields.text("use");
  node.gradient = read_gradient(fields, mistakes);
  if (const Yaml* formula = fields.take("formula"))
    node.formula = read_mention(*formula, "`formula`", mistakes);
  const int given = !node.kind.empty() + !node.module.empty() + node.gradient.has_value() +
                    node.formula.has_value();
  if (map.is_map() && given != 1)
    mistakes.add(
        place, "node " + ticked(name) +
                   " needs either `node: KIND`, `use: MODULE`, `formula: …` or `gradient: VALUE`" +
                   (given == 0 ? "" : ", not several"));
  node.keys = map.is_map() ? map : Yaml::map({}, map.place());
  if (node.gradient) {
    for (const auto& [key, place, value] : node.keys.entries())
      if (given == 1 && key != "gradient" && key != "of")
        mistakes.add(place, "a gradient has no key " + ticked(key) + ", only `gradient` and `of`");
    return node;
  }
  if (node.formula) {
    for (const char* key : {"loop", "each"})
      if (const Yaml* more = fields.take(key))
        mistakes.add(more->place(), "a formula has no key " + ticked(key));
    for (const char* key : {"formula", "loop", "each"}) node.keys.erase(key);
    return node;
  }
  if (const Yaml* loop = fields.take("loop")) node.loop = read_loop(*loop, mistakes);
  node.each = read_mentions(fields, "each", "an input of `each`", mistakes);
  for (const char* key : {"node", "use", "loop", "each"}) node.keys.erase(key);
  return node;
}

std::vector<NodeDecl> read_nodes(const Yaml* map, const std::string& what, Mistakes& mistakes) {
  std::vector<NodeDecl> nodes;
  if (!map) return nodes;
  if (!map->is_map()) mistakes.add(map->place(), what + " must be a map from names to nodes");
  std::set<std::string> names;
  for (const auto& [key, place, value] : map->entries()) {
    if (!names.insert(key).second) mistakes.add(place, "two nodes have the name " + ticked(key));
    nodes.push_back(read_node(key, place, value, mistakes));
  }
  return nodes;
}

GraphDecl read_graph(Fields& fields, const Yaml& map, const std::string& what, Mistakes& mistakes) {
  GraphDecl graph{.place = map.place()};
  graph.inputs = read_mentions(fields, "inputs", "an input", mistakes);
  for (const Mention& input : read_mentions(fields, "optional", "an input", mistakes)) {
    graph.inputs.push_back(input);
    graph.optional.insert(input.text);
  }
  std::set<std::string> inputs;
  for (const auto& [name, place] : graph.inputs) {
    if (!is_name(name)) mistakes.add(place, "an input's name cannot be " + ticked(name));
    inputs.insert(name);
  }
  const Yaml* nodes = fields.need("nodes");
  graph.nodes = read_nodes(nodes, "`nodes` of " + what, mistakes);
  for (const NodeDecl& node : graph.nodes)
    if (inputs.contains(node.name))
      mistakes.add(node.place, what + " has an input and a node of the name " + ticked(node.name));
  if (const Yaml* outputs = fields.need("outputs")) {
    if (!outputs->is_map() || outputs->entries().empty())
      mistakes.add(outputs->place(), "`outputs` of " + what + " must be a map: {name: node.port}");
    for (const auto& [key, place, value] : outputs->entries())
      graph.outputs.emplace_back(key, read_mention(value, "output " + ticked(key), mistakes));
  }
  return graph;
}

ModuleDecl read_module(const std::string& name, const Place& place, const Yaml& map,
                       Mistakes& mistakes) {
  ModuleDecl module{.name = name};
  const std::string what = "module " + ticked(name);
  if (!is_name(name)) mistakes.add(place, "a module's name cannot be " + ticked(name));
  Fields fields(map, keys::module, what, mistakes);
  module.frozen = fields.boolean("frozen");
  module.from = fields.text("from");
  module.original = fields.text("module", name);
  module.checkpoint = fields.text("checkpoint");
  module.follows = fields.text("follows");
  if (const Yaml* decay = fields.take("decay")) {
    module.decay = *decay;
    if (module.follows.empty())
      mistakes.add(decay->place(), what + " has a `decay`, but follows no other");
  }
  // Without them transfer_modules() did not find the run, or expand_followers() the module.
  if ((!map.find("from") && !map.find("follows")) || map.find("nodes"))
    module.graph = read_graph(fields, map, what, mistakes);
  module.graph.place = place;
  return module;
}

FragmentDecl read_fragment(const std::string& name, const Yaml& map, Mistakes& mistakes) {
  FragmentDecl fragment{.name = name, .text = map};
  if (!map.is_map()) {
    mistakes.add(map.place(), "fragment " + ticked(name) + " must be a map");
    return fragment;
  }
  const std::string what = "fragment " + ticked(name);
  Fields fields(map, keys::fragment, what, mistakes);
  fragment.about = fields.text("about");
  if (const Yaml* params = fields.take("params")) fragment.params = *params;
  if (!fragment.params.is_map() && !fragment.params.is_null())
    mistakes.add(fragment.params.place(),
                 "`params` of " + what + " must be a map: {name: {default: 3, about: …}}");
  for (const auto& [key, place, param] : fragment.params.entries()) {
    if (!is_name(key)) mistakes.add(place, "a param's name cannot be " + ticked(key));
    if (param.is_map()) Fields(param, keys::param, "param " + ticked(key), mistakes);
  }
  fragment.body = map;
  for (const char* key : {"about", "params"}) fragment.body.erase(key);
  return fragment;
}

}  // namespace weft

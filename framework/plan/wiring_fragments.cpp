// Wires the nodes that stand for a graph: uses of modules and of fragments.
#include <algorithm>

#include "framework/language/fields.h"
#include "framework/language/fragment_files.h"
#include "framework/node/did_you_mean.h"
#include "framework/plan/wiring.h"

namespace weft {

namespace {
constexpr int deepest = 64;  // modules and fragments inside one another

std::vector<std::string> input_names(const GraphDecl& graph) {
  std::vector<std::string> names;
  for (const Mention& input : graph.inputs) names.push_back(input.text);
  return names;
}
}  // namespace

Wiring::Outputs Wiring::wire_module(Scope& scope, const NodeDecl& decl) {
  const auto found = pipeline_.modules.find(decl.module);
  if (found == pipeline_.modules.end()) {
    std::vector<std::string> known;
    for (const auto& [name, module] : pipeline_.modules) known.push_back(name);
    if (pipeline_.fragments.contains(decl.module) || registry_.find(decl.module))
      throw Error(decl.place, ticked(decl.module) + " is no module: write `node: " + decl.module +
                                  "` instead of `use: " + decl.module + "`");
    throw Error(decl.place,
                "there is no module " + ticked(decl.module) + did_you_mean(decl.module, known));
  }
  if (found->second.graph.outputs.empty()) throw Skip{};  // reported already
  const auto around = pipeline_.modules.find(scope.module);
  if (around != pipeline_.modules.end() && !around->second.follows.empty() &&
      found->second.follows.empty())
    throw Error(decl.place, "module " + ticked(scope.module) + " follows " +
                                ticked(around->second.follows) +
                                ", so no fragment in it can use module " + ticked(decl.module));
  Scope inner;
  inner.what = "module " + ticked(decl.module);
  inner.module = decl.module;
  inner.weights = decl.module + ".";
  const auto known = input_names(found->second.graph);
  const Spelling spelling(decl.keys, known);
  for (const auto& [entry, near] : spelling.unknown())
    mistakes_.add(entry->place, inner.what + " has no input " + ticked(entry->key) + near +
                                    (known.empty() ? "" : "; it has " + listed(known)));
  return wire_graph(scope, inner, decl, found->second.graph, spelling);
}

Wiring::Outputs Wiring::wire_fragment(Scope& scope, const NodeDecl& decl,
                                      const FragmentDecl& fragment) {
  if (!fragment.body.is_map()) throw Skip{};  // reported already
  Vars vars;
  std::vector<std::string> known;
  std::vector<std::pair<std::string, std::string>> missing;  // params, with what each is about
  for (const auto& [name, place, param] : fragment.params.entries()) {
    const Yaml* given = decl.keys.find(name);
    const auto [standard, about] = FragmentParam(param);
    known.push_back(name);
    if (given || standard)
      vars[name] = given ? *given : *standard;
    else
      missing.emplace_back(name, about);
  }
  const size_t before = mistakes_.size();
  const auto explain = [&] {
    if (fragment.body.place().file != decl.place.file)
      mistakes_.explain(before, fragment.body.place().file,
                        "\n    in " + ticked(fragment.name) + " of " + decl.place.str());
  };
  Mistakes unheard;  // of unknown variables, where a missing param is reported instead
  const GraphDecl graph =
      Pipeline::instantiate(fragment, vars, missing.empty() ? mistakes_ : unheard);
  for (const std::string& input : input_names(graph)) known.push_back(input);
  const std::string who = decl.name + " (" + fragment.name + ")";
  const Spelling spelling(decl.keys, known);
  for (const auto& [entry, near] : spelling.unknown())
    mistakes_.add(entry->place, who + " has no input or param " + ticked(entry->key) + near +
                                    "; it has " + listed(known));
  for (const auto& [name, about] : missing)
    if (spelling.lacks(name))
      mistakes_.add(decl.place,
                    who + " needs its param " + ticked(name) + (about.empty() ? "" : ": " + about));
  if (!missing.empty()) throw Skip{};
  Scope inner;
  inner.what = "fragment " + ticked(fragment.name);
  inner.module = scope.module;
  inner.weights = scope.weights + decl.name + ".";
  try {
    Outputs outputs = wire_graph(scope, inner, decl, graph, spelling);
    explain();
    return outputs;
  } catch (...) {
    explain();
    throw;
  }
}

// Wires a sub-graph whose inputs `decl` gives in the outer scope.
Wiring::Outputs Wiring::wire_graph(Scope& outer, Scope& inner, const NodeDecl& decl,
                                   const GraphDecl& graph, const Spelling& spelling) {
  inner.path = outer.path + decl.name + ".";
  inner.loop = outer.loop;
  inner.outer = &outer;
  int depth = 0;
  for (const Scope* scope = &outer; scope; scope = scope->outer) {
    if (scope->what == inner.what) throw Error(decl.place, inner.what + " uses itself");
    if (++depth > deepest) throw Error(decl.place, inner.what + " is more than 64 levels deep");
  }
  expand(std::ssize(graph.nodes), decl.place);
  for (const auto& [input, place] : graph.inputs) {
    const Yaml* ref = decl.keys.find(input);
    inner.inputs[input] =
        ref ? resolve(outer, ref->to_text("input " + ticked(input)), ref->place()) : ValueId();
    if (inner.inputs[input] || graph.optional.contains(input)) continue;
    if (!ref && !spelling.lacks(input)) throw Skip{};  // it is misspelt
    throw Error(decl.place,
                ticked(decl.name) + " needs the input " + ticked(input) + " of " + inner.what);
  }
  index(inner, graph.nodes);
  Outputs outputs;
  bool skipped = false;
  for (const NodeDecl& node : graph.nodes) skipped = !attempt(inner, node) || skipped;
  for (const auto& [name, mention] : graph.outputs) {
    try {
      outputs.emplace_back(name, resolve(inner, mention.text, mention.place));
      if (!outputs.back().second)
        throw Error("an optional input cannot be an output of " + inner.what);
    } catch (const Error& error) {
      add_at(mistakes_, mention.place, error);
      skipped = true;
    } catch (const Skip&) {
      skipped = true;
    }
  }
  if (skipped || graph.outputs.empty()) throw Skip{};
  for (const NodeDecl& node : graph.nodes)
    if (!inner.read.contains(node.name))
      mistakes_.add(node.place, "node " + ticked(node.name) + " of " + inner.what +
                                    " is unused: no output of it depends on the node");
  for (const auto& [input, place] : graph.inputs)
    if (!inner.read.contains(input))
      mistakes_.add(place, "input " + ticked(input) + " of " + inner.what +
                               " is unused: no node of it reads the input");
  return outputs;
}

}  // namespace weft

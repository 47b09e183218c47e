#include "framework/plan/checks.h"

#include <algorithm>
#include <map>
#include <set>

#include "framework/language/arithmetic.h"
#include "framework/language/fields.h"
#include "framework/language/formula.h"
#include "framework/language/fragment_files.h"
#include "framework/node/did_you_mean.h"
#include "framework/node/host.h"
#include "framework/node/measure.h"
#include "framework/plan/machine_limits.h"

namespace weft {

// Axis 0 of what a node gives is the batch, as it is of what it gets; in lanes, of what it saves
// too.
void check_inferred(const Node& node) {
  const Host& ports = node.host();
  const auto shaped = [](const char* what, const auto& member) {
    if (!Host::shaped(member))
      throw Error(Exit::plugin, std::string(what) + " " + ticked(member.name) +
                                    " no shape: a defect of the node");
  };
  for (const Out* out : ports.outs) shaped("gives its output", *out);
  for (const State* state : ports.states) shaped("gives its state", *state);
  const auto input = std::ranges::find_if(ports.ins, [](const In* in) {
    return in->wired() && in->shape().rank() > 0 && !(in->traits.shared && in->rows() == 1);
  });
  if (input == ports.ins.end()) return;
  const auto check = [&](const char* name, const Shape& shape) {
    if (shape.rows() != (*input)->rows())
      throw Error(Exit::plugin, ticked(name) + " is " + shape.str() +
                                    ", but axis 0 is the batch, of " +
                                    std::to_string((*input)->rows()) + " rows");
  };
  for (const Out* out : ports.outs)
    if (out->shape().rank() > 0 && !Host::shared(*out)) check(out->name, out->shape());
  for (const Saved* saved : ports.saved)
    if (Host::present(*saved) && !node.whole_batch()) check(saved->name, Host::shape(*saved));
}

namespace {
void add_calls(const Formula& formula, std::vector<std::string>& names) {
  const bool call = formula.kind == Formula::Kind::call;
  if (call && starts_variable(formula.text[0]) && formula.text != "neg")
    names.push_back(formula.text);
  for (const Formula& part : formula.args) add_calls(part, names);
}

// The functions of a formula of values, of which some may be modules.
std::vector<std::string> calls(const std::string& formula) {
  std::vector<std::string> names;
  try {
    add_calls(parse_formula(formula, About::values), names);
  } catch (const Error&) {  // the wiring is going to say what is wrong
  }
  return names;
}

class ModuleUses {
 public:
  ModuleUses(const Pipeline& pipeline, const Registry& registry)
      : pipeline_(pipeline), registry_(registry) {
    for (const Mode mode : {Mode::train, Mode::evaluate, Mode::generate})
      if (const SectionDecl* section = pipeline.section(mode)) read(section->nodes);
    for (const auto& [name, fragment] : pipeline.fragments)
      if (const Yaml* nodes = fragment.body.find("nodes")) read(*nodes);
    while (!unread_.empty()) {
      const ModuleDecl& module = *unread_.back();
      unread_.pop_back();
      read(module.graph.nodes);
    }
  }

  bool used(const std::string& module) const { return used_.contains(module); }

  // Is all that learns or keeps states in the graph a use of a module that is used?
  bool borrows(const GraphDecl& graph) {
    return std::ranges::any_of(
               graph.nodes,
               [](const auto& node) { return !node.module.empty() || node.formula; }) &&
           std::ranges::all_of(graph.nodes, [&](const NodeDecl& node) {
             return borrows(node.kind, node.module, node.formula ? node.formula->text : "");
           });
  }

 private:
  void read(const std::vector<NodeDecl>& nodes) {
    for (const NodeDecl& node : nodes) {
      note(node.module), read(node.keys);
      if (node.formula) note_calls(node.formula->text);
    }
  }
  void read(const Yaml& value) {  // a fragment may use what it is told
    note(value.text());
    for (const Yaml& item : value.items()) read(item);
    for (const Yaml::Entry& entry : value.entries()) {
      read(entry.value);
      if (entry.key == "formula") note_calls(entry.value.text());
    }
  }
  void note_calls(const std::string& formula) {
    for (const std::string& name : calls(formula)) note(name);
  }
  void note(const std::string& name) {
    const auto module = pipeline_.modules.find(name);
    if (module != pipeline_.modules.end() && used_.insert(name).second)
      unread_.push_back(&module->second);
  }

  bool borrows(const std::string& kind, const std::string& module, const std::string& formula) {
    if (!module.empty()) return used(module);
    if (kind.empty())  // a formula or a gradient
      return std::ranges::all_of(calls(formula), [&](const std::string& name) {
        return used(name) || borrows(name, "", "");
      });
    if (registry_.find(kind)) {
      const auto made = registry_.make(kind);
      return made->host().weights.empty() && made->host().states.empty();
    }
    return fragment_borrows(kind);
  }
  bool fragment_borrows(const std::string& name) {
    if (!seen_.insert(name).second) return true;  // told already, or about to be
    const auto own = pipeline_.fragments.find(name);
    Mistakes unheard;
    const auto fragment = own != pipeline_.fragments.end()
                              ? own->second
                              : find_fragment(name, pipeline_.file, registry_, unheard);
    const Yaml* const nodes = fragment ? fragment->body.find("nodes") : nullptr;
    const auto text = [](const Yaml& node, const char* key) {
      const Yaml* const value = node.find(key);
      return value ? value->text() : "";
    };
    return nodes && std::ranges::all_of(nodes->entries(), [&](const Yaml::Entry& node) {
             return borrows(text(node.value, "node"), text(node.value, "use"),
                            text(node.value, "formula"));
           });
  }

  const Pipeline& pipeline_;
  const Registry& registry_;
  std::set<std::string> used_, seen_;  // modules; fragments
  std::vector<const ModuleDecl*> unread_;
};
}  // namespace

void check_modules_used(const Pipeline& pipeline, const Registry& registry, Mistakes& mistakes) {
  ModuleUses uses(pipeline, registry);
  for (const auto& [name, module] : pipeline.modules)
    if (!uses.used(name) && !uses.borrows(module.graph))
      mistakes.add(module.graph.place,
                   "no node has `use: " + name + "`: module " + ticked(name) + " is unused");
}

void check_rows(const Plan& plan, Mistakes& mistakes) {
  for (const PlanNode& node : plan.nodes)
    for (const ValueId v : node.outputs)
      if (const PlanValue& value = plan.values[v]; value.shape.rows() != value.rows.of(plan.rows))
        mistakes.add(node.place, "`" + value.path + "` is " + value.shape.str() +
                                     ", but axis 0 is the batch, of " +
                                     std::to_string(value.rows.of(plan.rows)) + " rows");
}

void check_shards(const Plan& plan, const SectionDecl& section, Mistakes& mistakes) {
  const std::string shards = "`shards: " + std::to_string(plan.shards) + "`";
  if (plan.shards > plan.rows)
    mistakes.add(section.place, shards + " are more parts than a batch of " +
                                    std::to_string(plan.rows) + " rows has rows");
  else if (plan.lanes % plan.shards != 0)
    mistakes.add(section.place, shards + " and `lanes: " + std::to_string(plan.lanes) +
                                    "` do not go together: each shard is as many lanes");
  const int64_t count = plan.rank.count;
  if (count > plan.shards)
    mistakes.add(section.place,
                 std::to_string(count) + " processes can't share a training of " +
                     (plan.shards == 1 ? "one shard" : std::to_string(plan.shards) + " shards") +
                     ": `shards: " + std::to_string(count) +
                     "` under `train`, or --set train.shards=" + std::to_string(count) +
                     ", cuts each batch into as many; more shards than " +
                     "processes let it go on with more of them, or with one, by the same bits");
}

void check_measures(const Plan& plan, Mistakes& mistakes) {
  for (const PlanNode& node : plan.nodes) {
    if (!dynamic_cast<const Measure*>(node.node.get())) continue;
    for (const auto& [reader, input] : plan.values[node.outputs[0]].readers)
      mistakes.add(plan.nodes[reader].place,
                   "`" + node.path +
                       "` is one number for the whole set, known after its last "
                       "batch: `report` of `evaluate` can name it, but no node");
  }
}

void check_metric(const Mention& mention, Mistakes& mistakes) {
  for (const char* own : {"step", "epoch", "scheduled", "evaluate"})
    if (mention.text == own)
      mistakes.add(mention.place, ticked(own) +
                                      " has a meaning of its own in metrics.jsonl: give "
                                      "the node another name");
}

void check_updates(const Plan& plan, const Pipeline& pipeline, const PhaseDecl& phase,
                   Mistakes& mistakes) {
  const bool whole = mistakes.empty();
  std::vector<std::string> known;
  for (const auto& [name, module] : pipeline.modules) known.push_back(name);
  for (const Mention& module : phase.update) {
    const auto found = pipeline.modules.find(module.text);
    const bool present = std::any_of(plan.weights.begin(), plan.weights.end(),
                                     [&](const auto& w) { return w.module == module.text; });
    if (found == pipeline.modules.end())
      mistakes.add(module.place,
                   "there is no module `" + module.text + "`" + did_you_mean(module.text, known));
    else if (!found->second.follows.empty())
      mistakes.add(module.place, "module `" + module.text + "` follows `" + found->second.follows +
                                     "`, so phase `" + phase.name + "` cannot update it");
    else if (found->second.frozen)
      mistakes.add(module.place, "module `" + module.text + "` is frozen, so phase `" + phase.name +
                                     "` cannot update it");
    else if (whole && !present)
      mistakes.add(module.place, "phase `" + phase.name + "` updates module `" + module.text +
                                     "`, but `train` has no weights of it");
  }
}

void check_modules_learn(const Plan& plan, const Pipeline& pipeline, Mistakes& mistakes) {
  std::set<std::string> updated;
  for (const PhaseDecl& phase : pipeline.train->phases)
    for (const Mention& module : phase.update) {
      if (!pipeline.modules.contains(module.text)) return;  // reported; may be misspelt
      updated.insert(module.text);
    }
  for (const PlanWeight& weight : plan.weights) {
    const ModuleDecl& module = pipeline.modules.at(weight.module);
    if (!updated.contains(weight.module) && !module.frozen && module.from.empty() &&
        module.follows.empty())
      mistakes.add(module.graph.place, "no phase updates module `" + module.name +
                                           "`: add it to `update`, or say `frozen: true`");
  }
}

void check_shared(const Plan& first, const Plan& other, Mistakes& mistakes) {
  const auto check = [&](const auto& ours, const auto& theirs) {
    std::map<std::string_view, const Shape*> shapes;
    for (const auto& one : theirs) shapes.emplace(one.name, &one.shape);
    for (const auto& own : ours) {
      const auto same = shapes.find(own.name);
      if (same == shapes.end() || *same->second == own.shape) continue;
      const auto node = std::find_if(other.nodes.begin(), other.nodes.end(), [&](const auto& n) {
        return n.weights == own.name.substr(0, own.name.rfind('.'));
      });
      mistakes.add(node->place, node->path + " (" + node->kind + "): `" + own.name + "` is " +
                                    own.shape.str() + " in `" + name(other.mode) + "`, but " +
                                    same->second->str() + " in `" + name(first.mode) + "`");
    }
  };
  check(other.weights, first.weights);
  check(other.states, first.states);
}

void check_best(const Plan& plan, const Pipeline& pipeline, Mistakes& mistakes) {
  for (const auto& [name, value] : plan.reports) {
    const Shape& shape = plan.values[value].shape;
    if (plan.mode == Mode::evaluate && name == pipeline.train->save.best && shape.rank() > 0 &&
        shape.row_elements() != 1)
      mistakes.add(pipeline.train->save.best_place, "`best` must be one number, but `" + name +
                                                        "` is " + shape.without_front().str() +
                                                        " for each sample");
  }
}

void check_learned(const Plan& train, const Plan& plan, const Pipeline& pipeline,
                   Mistakes& mistakes) {
  for (const PlanWeight& weight : plan.weights) {
    const ModuleDecl& module = pipeline.modules.at(weight.module);
    if (!train.weight(weight.name) && module.from.empty())
      mistakes.add(module.graph.place, "module `" + module.name + "` learns nothing: `" +
                                           name(plan.mode) + "` uses it, but `train` does not");
  }
}

void check_memory(size_t bytes, const std::string& what, const Place& place, Mistakes& mistakes) {
  const size_t most = memory_limit();
  if (bytes > most)
    mistakes.add(Error(place,
                       what + " needs " + std::to_string(bytes >> 30) +
                           " GiB of memory, but there are " + std::to_string(most >> 30) +
                           " GiB here: make `batch` or the layers smaller",
                       Exit::resources));
}

void check_precision(const Pipeline& pipeline, Mode mode, Mistakes& mistakes) {
  if (mode != Mode::train || pipeline.precision == Precision::f32 || dnn_has_bf16()) return;
  mistakes.add(pipeline.source.find("precision")->place(),
               "`precision: bf16` needs a CPU with AVX512_BF16 or AMX, but oneDNN sees " +
                   dnn_isa() +
                   " here; `precision: auto`, or `--set precision=auto`, takes what there is");
}

}  // namespace weft

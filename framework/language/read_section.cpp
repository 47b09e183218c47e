#include "framework/language/read_section.h"

#include <algorithm>

#include "framework/language/keys.h"
#include "framework/language/read_graph.h"

namespace weft {

namespace {
PhaseDecl read_phase(const Yaml& map, size_t index, Mistakes& mistakes) {
  PhaseDecl phase{.place = map.place()};
  Fields fields(map, keys::phase, "a phase", mistakes);
  phase.name = fields.text("name", "phase" + std::to_string(index + 1));
  if (const Yaml* minimize = fields.need("minimize"))
    phase.minimize = read_mention(*minimize, "`minimize`", mistakes);
  if (fields.need("update"))
    phase.update = read_mentions(fields, "update", "a module to update", mistakes);
  if (const Yaml* optimizer = fields.need("optimizer")) phase.optimizer = *optimizer;
  phase.groups = fields.list("groups");
  phase.clip = fields.number("clip");
  phase.clip_weights = fields.number("clip_weights");
  phase.accumulate = fields.integer("accumulate");
  phase.every = fields.integer("every");
  return phase;
}

TrainDecl::Save read_save(const Yaml& map, Mistakes& mistakes) {
  TrainDecl::Save save;
  Fields fields(map, keys::save, "`save`", mistakes);
  save.every_steps = fields.integer("every_steps");
  save.keep = fields.integer("keep");
  save.best = fields.text("best");
  if (const Yaml* best = fields.take("best")) save.best_place = best->place();
  save.highest = fields.text("better") == "highest";
  save.patience = fields.integer("patience");
  if (save.patience && save.best.empty())
    mistakes.add(fields.take("patience")->place(),
                 "`patience` needs `best`, the value that has to improve");
  return save;
}

// The data of `train` for a section that reads each sample once, in order.
NodeDecl whole(NodeDecl data) {
  for (const char* key : {"shuffle", "drop_last"}) data.keys.erase(key);
  return data;
}

// A section's own data, or train's with other params.
std::optional<NodeDecl> read_data(const Yaml& data, const std::optional<TrainDecl>& train,
                                  Mistakes& mistakes) {
  if (!train || !train->data || data.find("node"))
    return read_node("data", data.place(), data, mistakes);
  if (!data.is_map()) {
    mistakes.add(data.place(), "`data` must be a map: params of the data of `train`, or a `node`");
    return std::nullopt;
  }
  NodeDecl changed = whole(*train->data);
  changed.place = data.place();
  for (const Yaml::Entry& entry : data.entries()) changed.keys.put(entry);
  return changed;
}

// Does a node only have other params than that of `train`?
bool changes_nodes(const Yaml* nodes, const std::optional<TrainDecl>& train) {
  if (!nodes || !nodes->is_map() || !train) return false;
  return std::ranges::any_of(nodes->entries(), [&](const Yaml::Entry& entry) {
    return entry.value.is_map() && !keys::has_kind(entry.value) &&
           std::ranges::find(train->nodes, entry.key, &NodeDecl::name) != train->nodes.end();
  });
}

// The nodes of `train`, some with other params, some replaced, and others beside.
std::vector<NodeDecl> changed_nodes(const Yaml& nodes, const TrainDecl& train, Mistakes& mistakes) {
  std::vector<NodeDecl> all = train.nodes;
  for (const auto& [name, place, value] : nodes.entries()) {
    const auto own = std::ranges::find(all, name, &NodeDecl::name);
    if (own == all.end())
      all.push_back(read_node(name, place, value, mistakes));
    else if (keys::has_kind(value) || !value.is_map())
      *own = read_node(name, place, value, mistakes);
    else
      for (const Yaml::Entry& entry : value.entries()) own->keys.put(entry);
  }
  return all;
}

// A source beside the data that still reads what `train` reads would make numbers of no meaning.
void check_splits(const SectionDecl& section, const TrainDecl& train, Mistakes& mistakes) {
  const auto split = [](const NodeDecl& node) {
    const Yaml* const value = node.keys.find("split");
    return value ? value->text() : "";
  };
  if (!section.data || !train.data || split(*section.data) == split(*train.data)) return;
  for (const NodeDecl& node : section.nodes)
    if (!split(node).empty() && split(node) == split(*train.data))
      mistakes.add(section.place, ticked(node.name) + " reads `split: " + split(node) +
                                      "` beside data of `split: " + split(*section.data) +
                                      "`: write `evaluate: {nodes: {" + node.name +
                                      ": {split: " + split(*section.data) + "}}}`");
}

// Reads the keys that all three sections share.
void read_section(SectionDecl& section, Fields& fields, const Yaml& map,
                  const std::optional<TrainDecl>& train, Mistakes& mistakes,
                  bool evaluates = false) {
  section.place = map.place();
  if (const Yaml* data = fields.take("data")) section.data = read_data(*data, train, mistakes);
  const Yaml* const nodes = fields.take("nodes");
  section.inherits = evaluates && changes_nodes(nodes, train);
  section.nodes = section.inherits ? changed_nodes(*nodes, *train, mistakes)
                                   : read_nodes(nodes, "`nodes`", mistakes);
  section.report = read_mentions(fields, "report", "a reported value", mistakes);
  section.lanes = fields.integer("lanes");
  for (const NodeDecl& node : section.nodes)
    if (node.name == "data")
      mistakes.add(node.place, "`data` is the name of the section's data; name the node otherwise");
}
}  // namespace

TrainDecl read_train(const Yaml& map, Mistakes& mistakes) {
  TrainDecl train;
  Fields fields(map, keys::train, "`train`", mistakes);
  read_section(train, fields, map, std::nullopt, mistakes);
  const auto phases = fields.list("phases");
  for (size_t i = 0; i < phases.size(); ++i)
    train.phases.push_back(read_phase(phases[i], i, mistakes));
  for (size_t i = 0; i < train.phases.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (train.phases[i].name == train.phases[j].name)
        mistakes.add(train.phases[i].place,
                     "two phases have the name " + ticked(train.phases[i].name));
  train.shards = fields.integer("shards");
  train.epochs = fields.integer("epochs");
  train.steps = fields.integer("steps");
  const Yaml *epochs = fields.take("epochs"), *steps = fields.take("steps");
  if (epochs && steps)
    mistakes.add(map.place(), "`train` needs either `epochs` or `steps`, not both");
  else if (!epochs && !steps && !fields.told("epochs") && !fields.told("steps"))
    mistakes.add(map.place(), "`train` needs either `epochs` or `steps`");
  else if (epochs && !train.data)
    mistakes.add(epochs->place(),
                 "`epochs` are passes over `data`, which `train` has not: give `steps`");
  const Yaml* save = fields.take("save");
  train.save = read_save(save ? *save : Yaml::map({}, map.place()), mistakes);
  return train;
}

SectionDecl read_evaluate(const Yaml& map, const std::optional<TrainDecl>& train,
                          Mistakes& mistakes) {
  SectionDecl section;
  Fields fields(map, keys::evaluate, "`evaluate`", mistakes);
  read_section(section, fields, map, train, mistakes, true);
  section.every = fields.integer("every");
  if (!section.data && train && train->data) section.data = whole(*train->data);
  if (section.nodes.empty() && train) section.nodes = train->nodes, section.inherits = true;
  if (section.inherits) check_splits(section, *train, mistakes);
  const Yaml* const nodes = fields.take("nodes");
  section.extends = nodes && nodes->is_map() && section.inherits &&
                    std::ranges::any_of(nodes->entries(), [](const Yaml::Entry& entry) {
                      return keys::has_kind(entry.value);
                    });
  if (section.nodes.empty() && !train && !fields.told("nodes"))
    mistakes.add(map.place(), "`evaluate` needs `nodes`: there is no `train` that has them");
  if (section.report.empty() && !fields.told("report"))
    mistakes.add(map.place(), "`evaluate` needs `report`: the values to average over the data");
  return section;
}

SectionDecl read_generate(const Yaml& map, const std::optional<TrainDecl>& train,
                          Mistakes& mistakes) {
  SectionDecl section;
  Fields fields(map, keys::generate, "`generate`", mistakes);
  read_section(section, fields, map, train, mistakes);
  if (section.nodes.empty() && !fields.told("nodes"))
    mistakes.add(map.place(), "`generate` needs `nodes`");
  return section;
}

}  // namespace weft

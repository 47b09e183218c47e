#include "framework/language/read_section.h"

#include "framework/language/read_graph.h"

namespace weft {

namespace {
constexpr int64_t most_steps = int64_t{1} << 40;

PhaseDecl read_phase(const Yaml& map, size_t index, Mistakes& mistakes) {
  PhaseDecl phase{.name = "phase" + std::to_string(index + 1), .place = map.place()};
  Fields fields(map, "a phase", mistakes);
  phase.name = fields.text("name", phase.name);
  if (const Yaml* minimize = fields.need("minimize"))
    phase.minimize = read_mention(*minimize, "`minimize`", mistakes);
  if (fields.need("update"))
    phase.update = read_mentions(fields, "update", "a module to update", mistakes);
  if (const Yaml* optimizer = fields.need("optimizer")) phase.optimizer = *optimizer;
  phase.groups = fields.list("groups");
  phase.clip = fields.number("clip", 0, 0);
  phase.accumulate = fields.integer("accumulate", 1, 1, 1 << 20);
  phase.every = fields.integer("every", 1, 1, 1 << 20);
  fields.done();
  return phase;
}

TrainDecl::Save read_save(const Yaml* map, Mistakes& mistakes) {
  TrainDecl::Save save;
  if (!map) return save;
  Fields fields(*map, "`save`", mistakes);
  save.every_steps = fields.integer("every_steps", 0, 1, most_steps);
  save.keep = fields.integer("keep", 3, 1, 1 << 20);
  save.best = fields.text("best", "");
  if (const Yaml* best = map->find("best")) save.best_place = best->place();
  const std::string better = fields.text("better", "lowest");
  if (better != "lowest" && better != "highest")
    mistakes.add(map->find("better")->place(),
                 "`better` must be lowest or highest, not " + ticked(better));
  save.highest = better == "highest";
  save.patience = fields.integer("patience", 0, 1, 1 << 20);
  if (save.patience && save.best.empty())
    mistakes.add(map->find("patience")->place(),
                 "`patience` needs `best`, the value that has to improve");
  fields.done();
  return save;
}

// What all three sections share.
void read_section(SectionDecl& section, Fields& fields, const Yaml& map, Mistakes& mistakes) {
  section.place = map.place();
  if (const Yaml* data = fields.take("data"))
    section.data = read_node("data", data->place(), *data, mistakes);
  section.nodes = read_nodes(fields.take("nodes"), "`nodes`", mistakes);
  section.report = read_mentions(fields, "report", "a reported value", mistakes);
  section.lanes = fields.integer("lanes", 0, 1, 1024);
  for (const NodeDecl& node : section.nodes)
    if (node.name == "data")
      mistakes.add(node.place, "`data` is the name of the section's data; name the node otherwise");
}

// Train's data for a section that reads each sample once.
NodeDecl whole(NodeDecl data) {
  for (const char* key : {"shuffle", "drop_last"}) data.keys.erase(key);
  return data;
}

// `evaluate` or `generate`: its data may be train's with other params.
SectionDecl read_later_section(const std::string& name, const Yaml& map,
                               const std::optional<TrainDecl>& train, Mistakes& mistakes) {
  SectionDecl section;
  const Yaml* data = map.is_map() ? map.find("data") : nullptr;
  const bool own_data = data && data->is_map() && data->find("node");
  const bool changes = data && !own_data && train && train->data;
  Yaml plain = map;
  if (changes) plain.erase("data");
  Fields fields(plain, name, mistakes);
  read_section(section, fields, plain, mistakes);
  fields.done();
  if (changes && !data->is_map())
    mistakes.add(data->place(), "`data` must be a map: params of the data of `train`, or a `node`");
  if (changes && data->is_map()) {
    Yaml merged = whole(*train->data).keys;
    for (const auto& entry : data->entries()) merged.put(entry);
    section.data = NodeDecl{"data", data->place(), train->data->kind, "", merged};
  }
  section.place = map.place();
  return section;
}
}  // namespace

TrainDecl read_train(const Yaml& map, Mistakes& mistakes) {
  TrainDecl train;
  Fields fields(map, "`train`", mistakes);
  read_section(train, fields, map, mistakes);
  const auto phases = fields.list("phases");
  for (size_t i = 0; i < phases.size(); ++i)
    train.phases.push_back(read_phase(phases[i], i, mistakes));
  for (size_t i = 0; i < train.phases.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (train.phases[i].name == train.phases[j].name)
        mistakes.add(train.phases[i].place,
                     "two phases have the name " + ticked(train.phases[i].name));
  train.epochs = fields.integer("epochs", 0, 1, most_steps);
  train.steps = fields.integer("steps", 0, 1, most_steps);
  const bool epochs = fields.take("epochs");
  if (epochs == (fields.take("steps") != nullptr))
    mistakes.add(map.place(), "`train` needs either `epochs` or `steps`" +
                                  std::string(epochs ? ", not both" : ""));
  else if (epochs && !train.data)
    mistakes.add(map.find("epochs")->place(),
                 "`epochs` are passes over `data`, which `train` has not: give `steps`");
  train.save = read_save(fields.take("save"), mistakes);
  fields.done();
  return train;
}

SectionDecl read_evaluate(const Yaml& map, const std::optional<TrainDecl>& train,
                          Mistakes& mistakes) {
  SectionDecl section = read_later_section("`evaluate`", map, train, mistakes);
  if (!section.data && train && train->data) section.data = whole(*train->data);
  if (section.nodes.empty() && !train)
    mistakes.add(map.place(), "`evaluate` needs `nodes`: there is no `train` that has them");
  if (section.nodes.empty() && train) section.nodes = train->nodes, section.inherits = true;
  if (section.report.empty())
    mistakes.add(map.place(), "`evaluate` needs `report`: the values to average over the data");
  return section;
}

SectionDecl read_generate(const Yaml& map, const std::optional<TrainDecl>& train,
                          Mistakes& mistakes) {
  SectionDecl section = read_later_section("`generate`", map, train, mistakes);
  if (section.nodes.empty()) mistakes.add(map.place(), "`generate` needs `nodes`");
  return section;
}

}  // namespace weft

#include "framework/graph/pipeline.h"

#include <algorithm>
#include <set>

#include "framework/graph/fields.h"
#include "framework/graph/merge.h"
#include "framework/graph/transfer.h"

namespace weft {

namespace {
constexpr int64_t most_steps = int64_t{1} << 40;

Mention read_mention(const Yaml& value, const std::string& what, Mistakes& mistakes) {
  try {
    if (value.to_text(what).empty()) throw Error(value.place(), what + " cannot be \"\"");
    return {value.text(), value.place()};
  } catch (const Error& error) {
    mistakes.add(error);
    return {"", value.place()};
  }
}

std::vector<Mention> read_mentions(Fields& fields, const std::string& key, const std::string& what,
                                   Mistakes& mistakes) {
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

NodeDecl read_node(const std::string& name, const Place& place, const Yaml& map,
                   Mistakes& mistakes) {
  NodeDecl node{.name = name, .place = place};
  const size_t dot = std::min(name.find('.'), name.size());  // "block.2" is the third of a repeat
  if (!is_name(name.substr(0, dot)) || name.find_first_not_of("0123456789", dot + 1) != name.npos)
    mistakes.add(place, "a node's name is letters, digits and `_`, not " + ticked(name));
  Fields fields(map, "node " + ticked(name), mistakes);
  node.kind = fields.text("node", "");
  node.module = fields.text("use", "");
  if (map.is_map() && node.kind.empty() == node.module.empty())
    mistakes.add(place, "node " + ticked(name) + " needs either `node: KIND` or `use: MODULE`" +
                            (node.kind.empty() ? "" : ", not both"));
  node.keys = fields.rest();
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
  Fields fields(map, what, mistakes);
  fields.take("about");
  module.frozen = fields.boolean("frozen", false);
  module.from = fields.text("from", "");
  module.original = fields.text("module", name);
  if (module.from.empty() || map.find("nodes"))  // else the run was not found
    module.graph = read_graph(fields, map, what, mistakes);
  module.graph.place = place;
  fields.done();
  return module;
}

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
  if (changes) {
    Yaml merged = train->data->keys;
    for (const char* key : {"shuffle", "drop_last"}) merged.erase(key);
    for (const auto& entry : data->entries()) merged.put(entry);
    section.data = NodeDecl{"data", data->place(), train->data->kind, "", merged};
  }
  section.place = map.place();
  return section;
}

SectionDecl read_evaluate(const Yaml& map, const std::optional<TrainDecl>& train,
                          Mistakes& mistakes) {
  SectionDecl section = read_later_section("`evaluate`", map, train, mistakes);
  if (!section.data && train) section.data = train->data;
  if (section.nodes.empty() && !train)
    mistakes.add(map.place(), "`evaluate` needs `nodes`: there is no `train` that has them");
  if (section.nodes.empty() && train) section.nodes = train->nodes, section.inherits = true;
  if (section.report.empty())
    mistakes.add(map.place(), "`evaluate` needs `report`: the values to average over the data");
  return section;
}

// A module that no section uses is a mistake, most often a misspelt one.
void check_modules_used(const Pipeline& pipeline, Mistakes& mistakes) {
  std::set<std::string> used;
  const auto note = [&](const std::vector<NodeDecl>& nodes) {
    for (const NodeDecl& node : nodes) used.insert(node.module);
  };
  if (pipeline.train) note(pipeline.train->nodes);
  if (pipeline.evaluate) note(pipeline.evaluate->nodes);
  if (pipeline.generate) note(pipeline.generate->nodes);
  for (const auto& [name, module] : pipeline.modules) note(module.graph.nodes);
  for (const auto& [name, module] : pipeline.modules)
    if (!used.contains(name))
      mistakes.add(module.graph.place,
                   "no node has `use: " + name + "`: module " + ticked(name) + " is unused");
}

void check_best(const Pipeline& pipeline, Mistakes& mistakes) {
  if (!pipeline.train || pipeline.train->save.best.empty()) return;
  const auto& [best, place] = std::tie(pipeline.train->save.best, pipeline.train->save.best_place);
  if (!pipeline.evaluate)
    return mistakes.add(place, "`best` is a value that `evaluate` reports, but there is none");
  std::vector<std::string> reports;
  for (const Mention& report : pipeline.evaluate->report) reports.push_back(report.text);
  if (std::find(reports.begin(), reports.end(), best) == reports.end())
    mistakes.add(place, "`evaluate` does not report " + ticked(best) + did_you_mean(best, reports));
}

FragmentDecl read_fragment(const std::string& name, const Yaml& map, Mistakes& mistakes) {
  FragmentDecl fragment{.name = name};
  if (!map.is_map()) {
    mistakes.add(map.place(), "fragment " + ticked(name) + " must be a map");
    return fragment;
  }
  Fields fields(map, "fragment " + ticked(name), mistakes);
  fragment.about = fields.text("about", "");
  if (const Yaml* params = fields.take("params")) fragment.params = *params;
  if (!fragment.params.is_map() && !fragment.params.is_null())
    mistakes.add(fragment.params.place(), "`params` of fragment " + ticked(name) +
                                              " must be a map: {name: {default: 3, about: …}}");
  for (const auto& [key, place, param] : fragment.params.entries()) {
    if (!is_name(key)) mistakes.add(place, "a param's name cannot be " + ticked(key));
    if (!param.is_map()) continue;
    Fields facts(param, "param " + ticked(key), mistakes);
    for (const char* fact : {"default", "about"}) facts.take(fact);
    facts.done();
  }
  for (const char* key : {"inputs", "optional", "nodes", "outputs"}) fields.take(key);
  fields.done();
  fragment.body = map;
  for (const char* key : {"about", "params"}) fragment.body.erase(key);
  return fragment;
}

Precision read_precision(const Yaml& body, Fields& fields, Mistakes& mistakes) {
  const Yaml* given = body.find("precision");
  const std::string word = fields.text("precision", "f32");
  if (word == "auto") return dnn_has_bf16() ? Precision::bf16 : Precision::f32;
  if (word != "f32" && word != "bf16")
    mistakes.add(given->place(), "`precision` is " + ticked(word) +
                                     ", but must be one of f32, bf16, auto" +
                                     did_you_mean(word, {"f32", "bf16", "auto"}));
  return word == "bf16" ? Precision::bf16 : Precision::f32;
}
}  // namespace

Pipeline Pipeline::read(const std::filesystem::path& file, const std::vector<std::string>& sets,
                        Mistakes& mistakes) {
  return from(Yaml::read(file), file.string(), sets, mistakes);
}

Pipeline Pipeline::parse(const std::string& text, const std::string& file,
                         const std::vector<std::string>& sets, Mistakes& mistakes) {
  return from(Yaml::parse(text, file), file, sets, mistakes);
}

Pipeline Pipeline::from(Yaml tree, const std::string& file, const std::vector<std::string>& sets,
                        Mistakes& mistakes) {
  Pipeline pipeline;
  pipeline.file = file;
  pipeline.source = merge_includes(std::move(tree), file, mistakes);
  mistakes.check();  // the rest would be about what a missing file declares
  apply_sets(pipeline.source, sets, mistakes);
  anchor_plugins(pipeline.source, file);
  transfer_modules(pipeline.source, mistakes);
  pipeline.build(mistakes);
  return pipeline;
}

const SectionDecl* Pipeline::section(Mode mode) const {
  switch (mode) {
    case Mode::train: return train ? &*train : nullptr;
    case Mode::evaluate: return evaluate ? &*evaluate : nullptr;
    case Mode::generate: return generate ? &*generate : nullptr;
  }
  return nullptr;
}

Yaml Pipeline::with_values(const Yaml& source, Mistakes& mistakes) {
  Vars vars{{"count", Yaml::scalar("64", {})}};
  if (const Yaml* declared = source.find("vars"); declared && !declared->is_null()) {
    if (declared->is_map())
      vars = read_vars(*declared, vars, mistakes);
    else
      mistakes.add(declared->place(), "`vars` must be a map from names to values");
  }
  Yaml body = source;
  std::vector<Yaml> values;
  for (const auto& [key, place, value] : body.entries())
    values.push_back(key == "vars" || key == "fragments" ? Yaml() : value);
  values = substitute(Yaml::list(std::move(values), {}), vars, mistakes).items();
  for (size_t i = 0; i < values.size(); ++i)
    if (!values[i].is_null()) body.entries()[i].value = values[i];
  body.erase("vars");
  return body;
}

void Pipeline::build(Mistakes& mistakes) {
  if (!source.is_map())
    throw Error(source.place(), "a pipeline file is a map that starts with `weft: 1`");
  const Yaml body = with_values(source, mistakes);

  Fields fields(body, "a pipeline", mistakes);
  for (const char* key : {"vars", "include"}) fields.take(key);
  if (const Yaml* version = fields.take("weft"); !version || version->text() != "1")
    mistakes.add(version ? version->place() : body.place(),
                 "a pipeline starts with `weft: 1`, the version of its language");
  name = fields.text("name", std::filesystem::path(file).stem().string());
  if (!is_name(name)) {
    const Yaml* given = body.find("name");
    mistakes.add(
        given ? given->place() : body.place(),
        "a pipeline's name starts with a letter or `_`, then letters, digits, `_` and `-`: " +
            ticked(name) + " cannot be one");
  }
  about = fields.text("about", "");
  seed = static_cast<uint64_t>(fields.integer("seed", 0, 0, INT64_MAX));
  precision = read_precision(body, fields, mistakes);
  plugins = read_mentions(fields, "plugins", "a plugin", mistakes);
  if (const Yaml* map = fields.take("modules")) {
    if (!map->is_map()) mistakes.add(map->place(), "`modules` must be a map from names to modules");
    for (const auto& [key, place, value] : map->entries())
      modules[key] = read_module(key, place, value, mistakes);
  }
  if (const Yaml* map = fields.take("fragments")) {
    if (!map->is_map())
      mistakes.add(map->place(), "`fragments` must be a map from names to fragments");
    for (const auto& [key, place, value] : map->entries())
      fragments[key] = read_fragment(key, value, mistakes);
  }
  if (const Yaml* map = fields.take("train")) train = read_train(*map, mistakes);
  if (const Yaml* map = fields.take("evaluate")) evaluate = read_evaluate(*map, train, mistakes);
  if (const Yaml* map = fields.take("generate")) {
    generate = read_later_section("`generate`", *map, train, mistakes);
    if (generate->nodes.empty()) mistakes.add(map->place(), "`generate` needs `nodes`");
  }
  if (!train && !evaluate && !generate)
    mistakes.add(body.place(), "a pipeline needs `train`, `evaluate` or `generate`");
  fields.done();
  check_modules_used(*this, mistakes);
  check_best(*this, mistakes);
}

const FragmentDecl* Pipeline::fragment(const std::string& name,
                                       const std::vector<std::filesystem::path>& folders,
                                       Mistakes& mistakes) {
  if (const auto found = fragments.find(name); found != fragments.end()) return &found->second;
  std::vector<std::filesystem::path> search{std::filesystem::path(file).parent_path() /
                                            "fragments"};
  search.insert(search.end(), folders.begin(), folders.end());
  for (const auto& folder : search) {
    const auto path = folder / (name + ".yaml");
    std::error_code missing;
    if (!is_name(name) || !std::filesystem::is_regular_file(path, missing)) continue;
    const Yaml text = Yaml::read(path);
    fragments[name] = read_fragment(name, text, mistakes);
    Yaml* all = source.find("fragments");  // a run must not depend on the folder
    if (!all) source.put("fragments", Yaml::map({}, text.place())), all = source.find("fragments");
    all->put(name, text);
    return &fragments[name];
  }
  return nullptr;
}

GraphDecl Pipeline::instantiate(const FragmentDecl& fragment, const Vars& params,
                                Mistakes& mistakes) {
  const Yaml body = substitute(fragment.body, params, mistakes);
  Fields fields(body, "fragment " + ticked(fragment.name), mistakes);
  return read_graph(fields, body, "fragment " + ticked(fragment.name), mistakes);
}

}  // namespace weft

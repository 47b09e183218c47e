#include "framework/language/pipeline.h"

#include <algorithm>

#include "framework/language/fields.h"
#include "framework/language/followers.h"
#include "framework/language/include.h"
#include "framework/language/keys.h"
#include "framework/language/overrides.h"
#include "framework/language/read_graph.h"
#include "framework/language/read_section.h"
#include "framework/language/transfer.h"
#include "framework/node/did_you_mean.h"

namespace weft {

namespace {
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

// The name of a pipeline that has none: its file's, or the run's that keeps it.
std::string name_of(const std::filesystem::path& file) {
  const std::string run = file.parent_path().filename();
  return file.filename() == "resolved.yaml" && is_name(run) ? run : file.stem().string();
}

Precision precision_of(const std::string& word) {
  const bool half = word == "auto" ? dnn_has_bf16() : word == "bf16";
  return half ? Precision::bf16 : Precision::f32;
}

// Calls `read` for each entry of a map from names.
template <class Read>
void read_named(const Fields& fields, const std::string& key, Mistakes& mistakes, Read read) {
  const Yaml* map = fields.take(key);
  if (!map) return;
  if (!map->is_map())
    mistakes.add(map->place(), ticked(key) + " must be a map from names to " + key);
  for (const Yaml::Entry& entry : map->entries()) read(entry);
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
  mistakes.check();  // without an included file, what it declares would be missed below
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
  const Vars vars = read_vars(source, mistakes);
  Yaml body = source;
  std::vector<Yaml> values;
  for (const auto& [key, place, value] : body.entries())
    values.push_back(key == "vars" || key == "fragments" ? Yaml() : value);
  values = substitute(Yaml::list(std::move(values), {}), vars, mistakes).items();
  for (size_t i = 0; i < values.size(); ++i)
    if (!values[i].is_null()) body.entries()[i].value = values[i];
  if (Yaml* fragments = body.find("fragments"))
    for (Yaml::Entry& entry : fragments->entries()) close_fragment(entry.value, vars, mistakes);
  body.erase("vars");
  return body;
}

void Pipeline::build(Mistakes& mistakes) {
  if (!source.is_map())
    throw Error(source.place(), "a pipeline file is a map that starts with `weft: 1`");
  Yaml body = with_values(source, mistakes);
  if (Yaml* all = body.find("modules")) expand_followers(*all, mistakes);

  Fields fields(body, keys::pipeline, "a pipeline", mistakes);
  const Yaml* version = fields.take("weft");
  if (version ? version->text() != "1" : !fields.told("weft"))
    mistakes.add(
        version ? version->place() : body.place(),
        "a pipeline starts with `weft: 1`, the version of its language: this weft knows no other");
  name = fields.text("name", name_of(file));
  if (!is_name(name)) {
    const Yaml* given = fields.take("name");
    mistakes.add(
        given ? given->place() : body.place(),
        "a pipeline's name starts with a letter or `_`, then letters, digits, `_` and `-`: " +
            ticked(name) + " cannot be one");
  }
  about = fields.text("about");
  seed = static_cast<uint64_t>(fields.integer("seed"));
  precision = precision_of(fields.text("precision"));
  plugins = read_mentions(fields, "plugins", "a plugin", mistakes);
  read_named(fields, "modules", mistakes, [&](const Yaml::Entry& entry) {
    modules[entry.key] = read_module(entry.key, entry.place, entry.value, mistakes);
  });
  read_named(fields, "fragments", mistakes, [&](const Yaml::Entry& entry) {
    fragments[entry.key] = read_fragment(entry.key, entry.value, mistakes);
  });
  if (const Yaml* map = fields.take("train")) train = read_train(*map, mistakes);
  if (const Yaml* map = fields.take("evaluate")) evaluate = read_evaluate(*map, train, mistakes);
  if (const Yaml* map = fields.take("generate")) generate = read_generate(*map, train, mistakes);
  if (!train && !evaluate && !generate)
    mistakes.add(body.place(), "a pipeline needs `train`, `evaluate` or `generate`");
  check_best(*this, mistakes);
}

GraphDecl Pipeline::instantiate(const FragmentDecl& fragment, const Vars& params,
                                Mistakes& mistakes) {
  Vars own = params;
  own.declared =
      "a fragment sees its `params:`, and the variables of the pipeline if it stands there";
  const Yaml body = substitute(fragment.body, own, mistakes);
  const std::string what = "fragment " + ticked(fragment.name);
  Fields fields(body, keys::fragment, what, mistakes);
  return read_graph(fields, body, what, mistakes);
}

}  // namespace weft

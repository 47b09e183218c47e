// weft evaluate, weft generate
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>

#include "framework/cli/commands.h"
#include "framework/cli/shipped.h"
#include "framework/node/did_you_mean.h"
#include "framework/run/pass.h"
#include "framework/run/run_directory.h"
#include "framework/run/tell.h"
#include "framework/run/trained.h"

namespace weft::cli {

namespace {
bool mentions_count(const Yaml& value) {
  static const std::regex count(R"(\$\{?count\b|\$[({][^)}]*\bcount\b)");
  if (value.is_scalar() && !value.quoted() && std::regex_search(value.text(), count)) return true;
  const auto& items = value.items();
  const auto& entries = value.entries();
  return std::any_of(items.begin(), items.end(), mentions_count) ||
         std::any_of(entries.begin(), entries.end(),
                     [](const Yaml::Entry& entry) { return mentions_count(entry.value); });
}

// The directories of runs here and in `runs`.
std::vector<std::string> runs_here() {
  std::vector<std::string> names;
  for (const char* folder : {".", "runs"}) {
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(folder, missing))
      if (RunDirectory::exists(entry.path()))
        names.push_back(entry.path().lexically_normal().string());
  }
  return names;
}

// Throws Error with the run that was probably meant, if there is one whose name is near `target`.
void suggest_run(const std::string& target) {
  const std::vector<std::string> runs = runs_here();
  std::string near = did_you_mean(target, runs);
  for (const std::string& run : runs)
    if (run == "runs/" + target) near = " (did you mean `" + run + "`?)";
  if (!near.empty()) throw Error("there is no run `" + target + "`" + near);
}

bool is_run(const std::string& target) {
  if (!std::filesystem::is_directory(target)) return false;
  if (!RunDirectory::exists(target))
    throw Error("`" + target + "` is not the directory of a run: it has no resolved.yaml");
  return true;
}

// The pipeline file of a target: of a run, or of a pipeline of the user's own or of weft's.
std::filesystem::path file_of(const std::string& target) {
  if (is_run(target)) return std::filesystem::path(target) / "resolved.yaml";
  const auto shipped = shipped_names();
  if (!std::filesystem::exists(target) &&
      std::find(shipped.begin(), shipped.end(), target) == shipped.end())
    suggest_run(target);
  auto file = pipeline_file(target, "run");
  if (!std::filesystem::exists(file)) throw Error("there is no run or pipeline `" + target + "`");
  return file;
}

Exit run(const ModelOptions& options, Mode mode) {
  const bool of_run = is_run(options.target);
  const std::filesystem::path file = file_of(options.target);
  auto sets = options.sets;
  if (options.count > 0) sets.push_back("count=" + std::to_string(options.count));
  if (!options.seed.empty()) sets.push_back("seed=" + options.seed);
  Mistakes mistakes;
  const Pipeline pipeline = Pipeline::read(file, sets, mistakes);
  if (options.count > 0 && !mentions_count(pipeline.source))
    throw Error("-n sets the variable `$count`, but " + file.string() +
                " does not use it: how many are generated is written there");
  const Registry registry = load_plugins_for(pipeline);
  const auto say = [](const std::string& sentence) { tell("weft: {}\n", sentence); };
  Trained trained = of_run ? Trained::of_run(options.target, options.checkpoint, pipeline, registry,
                                             mode, mistakes, say)
                           : Trained::of_modules(pipeline, registry, mode, mistakes, say);
  std::filesystem::path folder = std::filesystem::path("runs") / pipeline.name;
  if (of_run) folder = options.target;
  if (!options.output.empty()) folder = options.output;
  for (const std::string& note : trained.plan->notes()) say(note);
  Engine engine(*trained.plan, registry, trained.weights,
                {options.threads, folder, nullptr, options.check});
  const Results results = run_pass(*trained.plan, engine, trained.step);
  for (const std::string& note : engine.notes()) say(note);
  if (options.json) {
    nlohmann::json json{{"step", trained.step}};
    json.update(to_json(results));
    fmt::print("{}\n", json.dump());
  } else if (!results.empty()) {
    fmt::print("{}\n", text(results));
  }
  const auto& nodes = trained.plan->nodes;
  if (std::any_of(nodes.begin(), nodes.end(),
                  [](const PlanNode& node) { return node.node->host().outs.empty(); }))
    say("wrote to " + folder.string());
  return Exit::done;
}
}  // namespace

Exit evaluate(const ModelOptions& options) {
  return run(options, Mode::evaluate);
}

Exit generate(const ModelOptions& options) {
  return run(options, Mode::generate);
}

}  // namespace weft::cli

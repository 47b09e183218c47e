// weft evaluate, weft generate
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>

#include "framework/cli/commands.h"
#include "framework/cli/shipped.h"
#include "framework/plan/build_plan.h"
#include "framework/run/checkpoint.h"
#include "framework/run/evaluator.h"
#include "framework/run/fitted.h"
#include "framework/run/run_directory.h"
#include "framework/run/tell.h"
#include "framework/run/transfer.h"

namespace weft::cli {

namespace {
// A plan of `mode` with its weights.
struct Trained {
  Pipeline pipeline;
  Registry registry;
  std::unique_ptr<const Plan> plan;
  Weights model;
  std::filesystem::path directory;
  int64_t step = 0;
};

Checkpoint open_checkpoint(const std::filesystem::path& run, const std::string& which) {
  CheckpointStore store(run / "checkpoints", {.read_only = true, .warn = [](const std::string& s) {
                                                tell("weft: {}\n", s);
                                              }});
  Checkpoint checkpoint = store.chosen(which, "--checkpoint");
  const auto best = store.best_step();
  tell("weft: step {} of {}{}\n", checkpoint.step, run.string(),
       best && *best != checkpoint.step
           ? fmt::format("; its best is step {}: --checkpoint best", *best)
           : "");
  return checkpoint;
}

bool mentions_count(const Yaml& value) {
  static const std::regex count(R"(\$\{?count\b|\$[({][^)}]*\bcount\b)");
  if (value.is_scalar() && !value.quoted() && std::regex_search(value.text(), count)) return true;
  const auto& items = value.items();
  const auto& entries = value.entries();
  return std::any_of(items.begin(), items.end(), mentions_count) ||
         std::any_of(entries.begin(), entries.end(),
                     [](const Yaml::Entry& entry) { return mentions_count(entry.value); });
}

// Runs here and in `runs`.
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

// A name that is neither a file nor a folder, but nearly or in `runs` that of a run.
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

// The pipeline of a run, a shipped one's or one's own.
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

Trained open(const ModelOptions& options, Mode mode) {
  Trained trained;
  const bool from_run = is_run(options.target);
  const std::filesystem::path file = file_of(options.target);
  Mistakes mistakes;
  auto sets = options.sets;
  if (options.count > 0) sets.push_back("count=" + std::to_string(options.count));
  trained.pipeline = Pipeline::read(file, sets, mistakes);
  if (options.count > 0 && !mentions_count(trained.pipeline.source))
    throw Error("-n sets the variable `$count`, but " + file.string() +
                " does not use it: how many are generated is written there");
  trained.registry = load_plugins_for(trained.pipeline);
  std::optional<Checkpoint> checkpoint;
  Known known;
  if (from_run) {
    checkpoint = open_checkpoint(options.target, options.checkpoint);
    known.training_steps = checkpoint->training_steps();
  }
  const auto fitted = from_run ? fitted_of(options.target) : std::nullopt;
  known.fitted = fitted ? *fitted : fitted_of_modules(trained.pipeline, false);
  trained.plan = build_plan(trained.pipeline, trained.registry, mode, known, mistakes);
  mistakes.check();
  if (from_run && !fitted)
    for (const auto& [name, learned] : *trained.plan->fitted)
      tell("weft: the run was made by an older weft and keeps no {}: learned again\n", name);
  trained.model.add(*trained.plan);
  trained.directory = from_run ? std::filesystem::path(options.target)
                               : std::filesystem::path("runs") / trained.pipeline.name;
  if (!options.output.empty()) trained.directory = options.output;
  if (checkpoint) {
    trained.model.load(checkpoint->model.tensors());
    trained.step = checkpoint->step;
  } else {
    for (const PlanWeight& weight : trained.plan->weights)
      if (trained.pipeline.modules.at(weight.module).from.empty())
        throw Error("module `" + weight.module + "` is not trained yet: run `weft train " +
                    options.target + "`, then give the run's directory");
    for (const std::string& source : load_transferred(trained.model, trained.pipeline))
      tell("weft: {}\n", source);
  }
  return trained;
}

Exit run(const ModelOptions& options, Mode mode) {
  Trained trained = open(options, mode);
  for (const std::string& note : trained.plan->notes()) tell("weft: {}\n", note);
  Engine engine(*trained.plan, trained.registry, trained.model,
                {options.threads, trained.directory, nullptr, options.check});
  const Results results = weft::evaluate(*trained.plan, engine, trained.step);
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
    tell("weft: wrote to {}\n", trained.directory.string());
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

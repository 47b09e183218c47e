#include "framework/run/resume_rules.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "framework/node/dnn.h"
#include "framework/node/plugin.h"

namespace weft {

namespace {
const std::vector<std::string> free_to_change{
    "about",    "name",     "seed",         "precision",  // conditions
    "evaluate", "generate", "train.epochs", "train.steps", "train.save", "plugins", "train.report"};

bool harmless(const std::string& path) {
  return std::any_of(free_to_change.begin(), free_to_change.end(), [&](const std::string& free) {
    return path == free || path.starts_with(free + ".");
  });
}
}  // namespace

nlohmann::json conditions_of(const Pipeline& pipeline, const Plan& plan) {
  return {{"weft", build_string()}, {"oneDNN", dnn_version()}, {"isa", dnn_isa()},
          {"lanes", plan.lanes},    {"seed", pipeline.seed},   {"precision", name(plan.precision)}};
}

void check_conditions(nlohmann::json then, const nlohmann::json& now) {
  then.emplace("precision", "f32");          // older runs had no other
  then.emplace("oneDNN", now.at("oneDNN"));  // older runs did not keep it
  if (std::string weft = then.value("weft", ""); weft.find(" | oneDNN") != std::string::npos)
    then["weft"] = weft.substr(0, weft.find(" | oneDNN"));  // older runs kept it here
  std::vector<std::string> others;
  for (const auto& [key, value] : now.items())
    if (const nlohmann::json was = then.value(key, nlohmann::json()); was != value)
      others.push_back(key + " " + was.dump() + " then, " + value.dump() + " now");
  if (!others.empty())
    throw Error(Exit::checkpoint,
                fmt::format("the run was made under other conditions, so going on would not give "
                            "the same bits: {}; --allow-drift goes on all the same",
                            fmt::join(others, ", ")));
}

// Compares values, not the variables that they come from.
PipelineChanges::PipelineChanges(const std::string& then, const Yaml& now,
                                 const std::string& name) {
  Mistakes ignored;
  const Yaml before = Pipeline::with_values(Yaml::parse(then, "pipeline.yaml"), ignored);
  const Yaml* other = before.find("name");
  then_ = other ? other->text() : name, now_ = name;
  paths_ = before.differences(Pipeline::with_values(now, ignored));
}

void PipelineChanges::check() const {
  std::vector<std::string> others;
  for (const std::string& path : paths_)
    if (!harmless(path)) others.push_back(path);
  if (!others.empty() && then_ != now_)
    throw Error(Exit::checkpoint, fmt::format("the run is of the pipeline `{}`, not of `{}`: -o "
                                              "names another run",
                                              then_, now_));
  if (!others.empty())
    throw Error(Exit::checkpoint,
                fmt::format("the pipeline has changed since the checkpoint: {}; --allow-drift goes "
                            "on all the same, --overwrite starts anew, -o names another run",
                            fmt::join(others, ", ")));
}

bool PipelineChanges::within(const std::string& part) const {
  return std::any_of(paths_.begin(), paths_.end(),
                     [&](const std::string& path) { return path.starts_with(part); });
}

}  // namespace weft

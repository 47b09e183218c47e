// weft train
#include <filesystem>

#include "framework/cli/commands.h"
#include "framework/cli/shipped.h"
#include "framework/plan/build_plan.h"
#include "framework/run/alike.h"

namespace weft::cli {

namespace {
Exit train(const std::string& file, const std::vector<std::string>& sets, TrainOptions options,
           Ranks* ranks) {
  Mistakes mistakes;
  Pipeline pipeline = read_pipeline(file, sets, mistakes);
  const Registry registry = load_plugins_for(pipeline);
  if (!mistakes.empty()) {  // tell everything that is wrong at once
    build_plans(pipeline, registry, {}, mistakes);
    mistakes.check();
  }
  if (ranks) check_alike(*ranks, pipeline), check_alike(*ranks, program_print(registry));
  options.ranks = ranks;
  if (options.run.empty()) options.run = std::filesystem::path("runs") / pipeline.name;
  return weft::train(pipeline, registry, options);
}
}  // namespace

Exit train(const std::string& file, const std::vector<std::string>& sets,
           const TrainOptions& options) {
  const std::unique_ptr<Ranks> ranks = Ranks::start();
  if (!ranks) return train(file, sets, options, nullptr);
  return ranks->together([&] { return train(file, sets, options, ranks.get()); });
}

}  // namespace weft::cli

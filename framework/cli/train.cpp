// weft train
#include <filesystem>

#include "framework/cli/commands.h"
#include "framework/cli/shipped.h"
#include "framework/plan/build_plan.h"

namespace weft::cli {

Exit train(const std::string& file, const std::vector<std::string>& sets, TrainOptions options) {
  Mistakes mistakes;
  Pipeline pipeline = read_pipeline(file, sets, mistakes);
  const Registry registry = load_plugins_for(pipeline);
  if (!mistakes.empty()) {  // tell everything that is wrong at once
    build_plans(pipeline, registry, {}, mistakes);
    mistakes.check();
  }
  if (options.run.empty()) options.run = std::filesystem::path("runs") / pipeline.name;
  return weft::train(pipeline, registry, options);
}

}  // namespace weft::cli

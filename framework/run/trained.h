// A section with trained weights, ready to evaluate or to generate.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "framework/plan/plan.h"
#include "framework/run/weights.h"

namespace weft {

struct Trained {
  using Say = std::function<void(const std::string&)>;

  // Both throw the mistakes of planning together with `mistakes`, those of reading the pipeline.
  //
  // Takes the weights from a checkpoint of a run: last, best or a step.
  static Trained of_run(const std::filesystem::path& run, const std::string& checkpoint,
                        const Pipeline& pipeline, const Registry& registry, Mode mode,
                        Mistakes& mistakes, const Say& say);
  // Takes them from the runs that the modules come from; throws Error if a module is from no run.
  static Trained of_modules(const Pipeline& pipeline, const Registry& registry, Mode mode,
                            Mistakes& mistakes, const Say& say);

  std::unique_ptr<const Plan> plan;
  Weights weights;
  int64_t step = 0;  // the step of the training that the weights are from
};

}  // namespace weft

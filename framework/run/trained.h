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

  // Both throw the mistakes that reading the pipeline found with those of planning it.
  //
  // With the weights of a run's checkpoint: last, best or a step.
  static Trained of_run(const std::filesystem::path& run, const std::string& checkpoint,
                        const Pipeline& pipeline, const Registry& registry, Mode mode,
                        Mistakes& mistakes, const Say& say);
  // With those of the runs that the pipeline's modules come from; throws Error if one has none.
  static Trained of_modules(const Pipeline& pipeline, const Registry& registry, Mode mode,
                            Mistakes& mistakes, const Say& say);

  std::unique_ptr<const Plan> plan;
  Weights weights;
  int64_t step = 0;  // of the training, that the weights are of
};

}  // namespace weft

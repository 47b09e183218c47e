// Builds the plans of a pipeline's sections.
#pragma once

#include <memory>
#include <vector>

#include "framework/language/pipeline.h"
#include "framework/plan/plan.h"
#include "framework/plugin/registry.h"

namespace weft {

// What is known before a plan is built: from the run that goes on or is evaluated, from the runs
// that modules come from, or from the plan of `train`.
struct Known {
  FittedMap fitted = {};  // what sources have learned of their data: see Fit
  // The length of the training, which schedules without `over` follow in every section; 0: unknown.
  int64_t training_steps = 0;
  PlanRank rank = {};  // the process that the plan is for
};

// The plan of one section. Mistakes are collected; a plan with mistakes must not run. Throws Error
// if the pipeline has no such section.
std::unique_ptr<const Plan> build_plan(const Pipeline& pipeline, const Registry& registry,
                                       Mode mode, Known known, Mistakes& mistakes);

using Plans = std::vector<std::unique_ptr<const Plan>>;
// The plans of all sections that the pipeline has, in the order train, evaluate, generate. It is a
// mistake if a module that another section uses neither learns in `train` nor comes from a run.
Plans build_plans(const Pipeline& pipeline, const Registry& registry, Known known,
                  Mistakes& mistakes);

// The source of the pipeline together with the fragments that its plans took from files. A run
// stores it, so as not to depend on those files.
Yaml whole_source(const Pipeline& pipeline, const Plans& plans);

}  // namespace weft

// From a pipeline to the plans of its sections.
#pragma once

#include <memory>
#include <vector>

#include "framework/language/pipeline.h"
#include "framework/plan/plan.h"
#include "framework/plugin/registry.h"

namespace weft {

// What is known before a plan is built: by the run that goes on or is evaluated, by those that
// modules come from, by the plan of `train`.
struct Known {
  FittedMap fitted = {};  // of data, see Fit
  int64_t training_steps =
      0;  // what a schedule without `over` follows in every section; 0: unknown
};

// The plan of one section. Mistakes are collected; a plan with mistakes must not run. Throws Error
// if the pipeline has no such section.
std::unique_ptr<const Plan> build_plan(const Pipeline& pipeline, const Registry& registry,
                                       Mode mode, Known known, Mistakes& mistakes);

using Plans = std::vector<std::unique_ptr<const Plan>>;
// Those of all sections that the pipeline has, in the order train, evaluate, generate; a module
// that another section uses must learn in `train`, or come from another run.
Plans build_plans(const Pipeline& pipeline, const Registry& registry, Known known,
                  Mistakes& mistakes);

// The pipeline with the fragments that its plans took from files: what a run stores, since it must
// not depend on those.
Yaml whole_source(const Pipeline& pipeline, const Plans& plans);

}  // namespace weft

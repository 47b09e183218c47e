// Where a NaN or an infinity comes from.
#pragma once

#include <string>
#include <vector>

#include "framework/plan/plan.h"
#include "framework/run/instances.h"
#include "framework/run/phase_graph.h"
#include "framework/run/weights.h"

namespace weft {

// After a step in which the loss or a gradient of a phase was not finite: what to say behind that,
// "; the first value that is not finite comes from node `h` (linear) at vae.yaml:12:5", or what may
// help. `active` are the phases of the step. Within the engine's arena.
std::string explain_nonfinite(const Plan& plan, Instances& instances, const Weights& weights,
                              const StepState& state, const std::vector<bool>& active,
                              size_t phase);

}  // namespace weft

// The optimizers of a phase: its `optimizer:`, and one for each of its `groups:`.
#pragma once

#include <string>
#include <vector>

#include "framework/plan/plan.h"

namespace weft {

// Reads the optimizers of a phase: first those of groups, in the order of the file, then the
// phase's own, which matches every weight.
std::vector<PlanOptimizer> read_optimizers(const Plan& plan, const PhaseDecl& phase,
                                           const Registry& registry, Mistakes& mistakes);

// The optimizer of the weight of this name; null if there is none, as a phase with mistakes may
// lack its own.
const PlanOptimizer* optimizer_of(const PlanPhase& phase, const std::string& weight);

// Does `name` fit the pattern? `*` stands for any text.
bool matches(const std::string& pattern, const std::string& name);

// A new optimizer node with its params set.
std::unique_ptr<Node> make_optimizer(const PlanOptimizer& optimizer, const Registry& registry);

}  // namespace weft

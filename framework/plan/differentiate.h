// The backward half of a training plan: which gradients each phase needs, and in what order.
#pragma once

#include "framework/plan/plan.h"

namespace weft {

// Fills everything of `phase` but its items: what its loss reaches of what it updates.
void differentiate(const Plan& plan, PlanPhase& phase, Mistakes& mistakes);

// The backward items of a phase in the order of the chain rule, sums at fan-out included.
std::vector<PlanItem> backward_items(const Plan& plan, const PlanPhase& phase);

// By node: is it an ancestor of one of `values`?
std::vector<bool> ancestors(const Plan& plan, const std::vector<int>& values);

// Does backward() of this node write a gradient for its input?
bool input_wants_grad(const Plan& plan, const PlanPhase& phase, int node, size_t input);

}  // namespace weft

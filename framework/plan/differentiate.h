// The backward half of a training plan: which gradients each phase needs, and in what order.
#pragma once

#include "framework/plan/plan.h"

namespace weft {

// Fills all of `phase` but its items: the gradients on the way from its loss to the weights that it
// updates, and how those weights learn.
void differentiate(const Plan& plan, PlanPhase& phase, Mistakes& mistakes);

// The backward items of a phase in the order of the chain rule, sums at fan-out included.
std::vector<PlanItem> backward_items(const Plan& plan, const PlanPhase& phase);

// Which nodes do `values` depend on?
ByNode<bool> ancestors(const Plan& plan, const std::vector<ValueId>& values);

// Does backward() of this node write a gradient for its input?
bool input_wants_grad(const Plan& plan, const PlanPhase& phase, NodeId node, size_t input);

}  // namespace weft

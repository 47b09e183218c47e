// A plan as a graph in the DOT language of Graphviz.
#pragma once

#include <string>

#include "framework/plan/plan.h"

namespace weft {

// The plan in DOT. Modules and fragments are clusters; edges are labelled with shapes.
std::string plan_dot(const Plan& plan, const Pipeline& pipeline);

}  // namespace weft

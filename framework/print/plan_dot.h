// A plan as a graph in the DOT language of Graphviz.
#pragma once

#include <string>

#include "framework/plan/plan.h"

namespace weft {

// Modules and fragments are clusters, shapes stand on the edges.
std::string plan_dot(const Plan& plan, const Pipeline& pipeline);

}  // namespace weft

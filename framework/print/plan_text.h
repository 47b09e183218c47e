// A plan as text: what `weft check` prints.
#pragma once

#include <string>

#include "framework/plan/plan.h"

namespace weft {

// Every node with the shapes of its outputs, parameters and FLOPs; then phases, lanes and memory.
std::string plan_text(const Plan& plan);

}  // namespace weft

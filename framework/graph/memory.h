// Places for the tensors of a plan: each lives from its first to its last use in a step, and
// tensors that are never alive together share memory.
#pragma once

#include "framework/graph/plan.h"

namespace weft {

void plan_memory(Plan& plan);

}  // namespace weft

// Places for the tensors of a plan: each lives from its first to its last use in a step, and
// tensors that are never alive at once share memory. Those that a lane needs within one task lie in
// a workspace, the others in the arena.
#pragma once

#include "framework/plan/plan.h"

namespace weft {

void plan_memory(Plan& plan);

}  // namespace weft

// Gives every tensor of a plan its place in memory. A tensor lives from its first to its last use
// in a step; tensors that are never alive at once share memory. Tensors that a lane needs within
// one task only lie in a workspace, all others in the arena.
#pragma once

#include "framework/plan/plan.h"

namespace weft {

void plan_memory(Plan& plan);

}  // namespace weft

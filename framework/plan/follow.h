// Modules that follow others, in a plan.
#pragma once

#include "framework/plan/plan.h"

namespace weft {

// Gives the plan of `train` the weights and states of every module that follows one that learns
// there, used or not, and says which follow which. Notes mistakes.
void plan_follows(Plan& plan, const Pipeline& pipeline, Mistakes& mistakes);

}  // namespace weft

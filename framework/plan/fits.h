// What the sources of a section learn of their data before the first step (see Fit). Fits of one
// name must agree, and a module must read what it was trained with.
#pragma once

#include "framework/plan/plan.h"

namespace weft {

// Where fits of one name differ, adds what the first one learned to `given`. Returns true if it
// added anything: the section must then be built again with that.
bool agree(const Plan& plan, FittedMap& given);

// Keeps in the plan every fit that something reads; `given` is what was known before. Mistakes:
// data that a fit does not know, a module that learned with another fit, and more than 8 MiB.
void keep_fits(Plan& plan, const FittedMap& given, Mistakes& mistakes);

}  // namespace weft

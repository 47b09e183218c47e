// What the sources of a section learned of their data: sources of one name made to agree, and each
// module bound to what it learned with.
#pragma once

#include "framework/plan/plan.h"

namespace weft {

// Adds to `given` what the first source of each name learned, if others of that name learned
// otherwise. True if it did: the section is then to be built again, with that.
bool agree(const Plan& plan, FittedMap& given);

// Keeps in the plan what something reads; `given` was known before.
// Mistakes: data that is not known, a module that learned with another vocabulary, and too much.
void keep_fits(Plan& plan, const FittedMap& given, Mistakes& mistakes);

}  // namespace weft

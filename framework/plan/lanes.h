// How a batch is cut into lanes: ranges of rows that run independently.
#pragma once

#include "framework/plan/plan.h"

namespace weft {

// Says how many lanes there are, `wanted` or, if that is 0, as many as suit the cache, and which
// nodes run in them: those whose row i depends on row i of what they read. Each of the plan's
// shards is as many lanes.
void cut_into_lanes(Plan& plan, int64_t wanted);

}  // namespace weft

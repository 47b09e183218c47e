// Processes that share a training must be alike in all that its bits depend on.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "framework/language/pipeline.h"
#include "framework/plan/plan.h"
#include "framework/plugin/registry.h"
#include "framework/ranks/ranks.h"

namespace weft {

// What a process runs: builds, kernels, plugins by their contents; and of what its plan reads, by
// the numbers of some samples.
nlohmann::json program_print(const Registry& registry);
nlohmann::json data_print(const Plan& plan);

// Throws Error(usage) in each process whose prints are not those of the first, with the names of
// those that differ and both sides.
void check_alike(Ranks& ranks, const nlohmann::json& prints);
// The same of pipelines, with the keys that differ.
void check_alike(Ranks& ranks, const Pipeline& pipeline);

}  // namespace weft

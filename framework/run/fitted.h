// What a run learned of its data before its first step (see Fit), as its checkpoints keep it.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "framework/plan/plan.h"

namespace weft {

nlohmann::json to_json(const FittedMap& fitted);
FittedMap fitted_from(const nlohmann::json& state);

// What a run learned, from its newest checkpoint whose state verifies; all checkpoints of a run
// have the same. Nothing if there is none, or an older weft wrote it.
std::optional<FittedMap> fitted_of(const std::filesystem::path& run);

// Called as a training begins: lets sources remember what they learned beyond the run. Warns if one
// cannot.
void remember_fits(const Plan& plan, const std::function<void(const std::string&)>& warn);

}  // namespace weft

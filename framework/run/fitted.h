// What a run learned of its data before its first step, in the state of its checkpoints.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "framework/plan/plan.h"

namespace weft {

nlohmann::json to_json(const FittedMap& fitted);

// Of the newest checkpoint of a run whose state is whole; all of a run have the same. Nothing if
// there is none, or an older weft wrote it.
std::optional<FittedMap> fitted_of(const std::filesystem::path& run);

// As a training begins: what its sources learned may be remembered beyond the run. Warns if not.
void remember_fits(const Plan& plan, const std::function<void(const std::string&)>& warn);

}  // namespace weft

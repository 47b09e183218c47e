// A pass over the data of `evaluate` or `generate`: every batch forward, reports averaged, measures
// and sinks ended.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "framework/run/engine.h"

namespace weft {

// A reported value: its name, and one number or one for each element of a row.
using Results = std::vector<std::pair<std::string, std::vector<double>>>;

// The plan's reports over one epoch of its data, or over one batch without data: means over the
// samples, and what measures say of the whole set.
// `schedule_step` is the step of the training whose weights these are.
// `beat` is called after each batch.
Results run_pass(const Plan& plan, Engine& engine, int64_t schedule_step,
                 const std::function<void()>& beat = {});

// "loss 105.2 | kl 25.1"; a vector as [0.1, 0.09, …].
std::string text(const Results& results);
nlohmann::json to_json(const Results& results);  // by name: a number, or a list

}  // namespace weft

// A pass over the data of `evaluate` or `generate`: it runs every batch forward, averages reports,
// and ends measures and sinks.
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

// Runs one epoch of the plan's data, or one batch if it has no data. Returns the plan's reports:
// means over the samples, and the results of measures over the whole set. `schedule_step` is the
// step of the training that the weights are from. `beat` is called after each batch.
Results run_pass(const Plan& plan, Engine& engine, int64_t schedule_step,
                 const std::function<void()>& beat = {});

// Results on one line: "loss 105.2 | kl 25.1"; a vector as [0.1, 0.09, …].
std::string text(const Results& results);
nlohmann::json to_json(const Results& results);  // by name: a number, or a list

}  // namespace weft

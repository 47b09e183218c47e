// A section `evaluate` as a value: what it reports.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/plan/build_plan.h"

namespace weft::tests {

// The plan of a section; throws its mistakes. `text` goes on behind `weft: 1`.
std::unique_ptr<const Plan> planned(const std::string& text, Mode mode);

// What `report` is, as the mean over the rows, after the nodes of `text`, which ends within
// `evaluate`. Weights are as they start.
std::vector<double> evaluated(const std::string& text, const std::string& report, int lanes = 2,
                              bool check = false);

}  // namespace weft::tests

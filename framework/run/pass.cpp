#include "framework/run/pass.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace weft {

Results run_pass(const Plan& plan, Engine& engine, int64_t schedule_step,
                 const std::function<void()>& beat) {
  Results results;
  for (const auto& [name, value] : plan.reports) results.emplace_back(name, std::vector<double>{});
  engine.begin_pass();
  double samples = 0;
  for (int64_t step = 0; step < plan.steps_per_epoch(); ++step) {
    engine.step(step, schedule_step);
    const auto rows = static_cast<double>(engine.rows());
    for (size_t i = 0; i < results.size(); ++i) {
      const auto means = engine.report(i);
      auto& sums = results[i].second;
      sums.resize(means.size());
      for (size_t j = 0; j < means.size(); ++j) sums[j] += means[j] * rows;
    }
    samples += rows;
    if (beat) beat();
  }
  engine.end_pass();
  for (auto& [name, sums] : results)
    for (double& sum : sums) sum /= samples;
  for (size_t i = 0; i < results.size(); ++i)
    if (const auto measured = engine.measured(i)) results[i].second = {*measured};
  return results;
}

std::string text(const Results& results) {
  std::string all;
  for (const auto& [name, values] : results) {
    if (!all.empty()) all += " | ";
    if (values.size() == 1)
      all += fmt::format("{} {:.6g}", name, values[0]);
    else
      all += fmt::format("{} [{:.4g}]", name, fmt::join(values, ", "));
  }
  return all;
}

nlohmann::json to_json(const Results& results) {
  nlohmann::json all = nlohmann::json::object();
  for (const auto& [name, values] : results)
    all[name] = values.size() == 1 ? nlohmann::json(values[0]) : nlohmann::json(values);
  return all;
}

}  // namespace weft

#include "framework/run/best.h"

#include <cmath>

namespace weft {

bool Best::beaten_by(double value) const {
  if (!std::isfinite(value)) return false;
  return !value_ || (rule_.highest ? value > *value_ : value < *value_);
}

void Best::set(double value, int64_t step) {
  value_ = value, step_ = step, without_better_ = 0;
}

nlohmann::json Best::state() const {
  return {{"best", value_ ? nlohmann::json(*value_) : nlohmann::json()},
          {"best_step", step_},
          {"without_better", without_better_}};
}

void Best::load(const nlohmann::json& state) {
  value_.reset();
  if (!state.at("best").is_null()) value_ = state.at("best").get<double>();
  step_ = state.at("best_step");
  without_better_ = state.at("without_better");
}

}  // namespace weft

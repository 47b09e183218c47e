// The best evaluation of a training so far, by `save.best`: its value, its step, and how many have
// passed since without a better one.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

#include "framework/language/pipeline.h"

namespace weft {

class Best {
 public:
  explicit Best(const TrainDecl::Save& rule) : rule_(rule) {}

  bool tracked() const { return !rule_.best.empty(); }
  bool beaten_by(double value) const;  // false if the value is not finite
  void set(double value, int64_t step);
  void count_worse() { without_better_ += rule_.patience > 0; }
  bool out_of_patience() const { return rule_.patience > 0 && without_better_ >= rule_.patience; }
  int64_t step() const { return step_; }  // -1: none yet

  // For checkpoints: `best`, `best_step`, `without_better`.
  nlohmann::json state() const;
  void load(const nlohmann::json& state);

 private:
  TrainDecl::Save rule_;
  std::optional<double> value_;
  int64_t step_ = -1, without_better_ = 0;
};

}  // namespace weft

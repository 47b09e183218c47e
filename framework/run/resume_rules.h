// What going on with a run asks of it: the same conditions and the same pipeline, as far as the
// bits depend on them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/language/pipeline.h"
#include "framework/plan/plan.h"

namespace weft {

// What must be the same for the same bits.
nlohmann::json conditions_of(const Pipeline& pipeline, const Plan& plan);

// Refuses conditions that are others now: an Error of Exit::checkpoint.
void check_conditions(nlohmann::json then, const nlohmann::json& now);

// The paths whose values differ in a pipeline from what it was, such as `train.nodes.enc.size`.
class PipelineChanges {
 public:
  PipelineChanges(const std::string& then, const Yaml& now, const std::string& name);

  // Refuses a change of what learns: how long, what is saved and what is reported may change.
  void check() const;
  bool within(const std::string& part) const;  // is one of them here, such as `evaluate`?
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  std::string then_, now_;  // names of the pipelines
  std::vector<std::string> paths_;
};

}  // namespace weft

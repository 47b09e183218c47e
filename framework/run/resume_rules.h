// The rules for going on with a run: conditions and pipeline must be the same, as far as the bits
// of the results depend on them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/language/pipeline.h"
#include "framework/plan/plan.h"

namespace weft {

// The conditions that must be the same for the same bits: versions, instruction set, lanes, seed,
// precision.
nlohmann::json conditions_of(const Pipeline& pipeline, const Plan& plan);

// Throws Error(Exit::checkpoint) if the conditions have changed.
void check_conditions(nlohmann::json then, const nlohmann::json& now);

// The differences between a pipeline and what it was before, as the paths of values, such as
// `train.nodes.enc.size`.
class PipelineChanges {
 public:
  PipelineChanges(const std::string& then, const Yaml& now, const std::string& name);

  // Throws Error for a change that affects what is learned. The length of the training, what is
  // saved and what is reported may change.
  void check() const;
  bool within(const std::string& part) const;  // is there a difference in, say, `evaluate`?
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  std::string then_, now_;  // names of the pipelines
  std::vector<std::string> paths_;
};

}  // namespace weft

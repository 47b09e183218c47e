// What a user sets on a node or an optimizer: the values of its params, and their schedules.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "framework/language/schedule.h"
#include "framework/language/yaml.h"
#include "framework/node/param.h"

namespace weft {

struct PlanParams {
  std::vector<std::pair<std::string, ParamValue>> values;
  std::vector<std::pair<std::string, Schedule>> schedules;

  // Gives a param the value or the schedule of a pipeline file, and keeps it. Throws Error: of
  // another kind than the param's, or refused by its check.
  void set(ParamBase& param, const Yaml& value, int64_t training_steps);
  void give_to(Node& node) const;  // of the same kind
};

}  // namespace weft

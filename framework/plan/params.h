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

  // Gives a param the value or the schedule that stands in a pipeline file, and keeps it here.
  // Throws Error if it is of another type than the param or its check refuses it.
  void set(ParamBase& param, const Yaml& value, int64_t training_steps);
  // Gives a param the value that a param of this name has in `from`; false if it has none there.
  bool take(ParamBase& param, const PlanParams& from);
  void give_to(Node& node) const;  // a node of the same kind
};

}  // namespace weft

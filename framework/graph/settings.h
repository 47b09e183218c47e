// From YAML to a param's value, strictly by the param's kind.
#pragma once

#include "framework/graph/yaml.h"
#include "framework/node/param.h"

namespace weft {

ParamValue param_value(const ParamBase& param, const Yaml& value);  // throws Error

}  // namespace weft

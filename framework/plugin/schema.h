// The JSON schema of pipeline files (draft 2020-12), for editors.
#pragma once

#include <string>

#include "framework/plugin/registry.h"

namespace weft {

// Knows the ports and params of every kind that is loaded; a node of another kind may have any
// keys. Where a number, a truth or a list is expected, `$variable` and `${…}` may stand.
std::string pipeline_schema(const Registry& registry);

}  // namespace weft

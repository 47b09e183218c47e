// The JSON schema of pipeline files (draft 2020-12), for editors.
#pragma once

#include <string>
#include <vector>

#include "framework/plugin/registry.h"

namespace weft {

// The schema knows the ports and params of every loaded kind, and the names of `fragments`. Any
// other kind is a mistake, unless the file has `fragments`, `plugins` or `include`; it may then
// have any keys. With `include` no key is required. `$variable` and `${…}` may stand where a
// number, a boolean or a list is expected.
std::string pipeline_schema(const Registry& registry, const std::vector<std::string>& fragments);

}  // namespace weft

// The JSON schema of pipeline files (draft 2020-12), for editors.
#pragma once

#include <string>
#include <vector>

#include "framework/plugin/registry.h"

namespace weft {

// Knows the ports and params of every kind that is loaded, and the names of `fragments`. Another
// kind is a mistake unless the file has `fragments`, `plugins` or `include`; it may then have any
// keys. With `include` no key is required. Where a number, a truth or a list is expected,
// `$variable` and `${…}` may stand.
std::string pipeline_schema(const Registry& registry, const std::vector<std::string>& fragments);

}  // namespace weft

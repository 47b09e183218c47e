// The name that a misspelt one may stand for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/node/error.h"

namespace weft {

// " (did you mean `features`?)", or "" when no candidate is near `name`.
WEFT_API std::string did_you_mean(std::string_view name,
                                  const std::vector<std::string>& candidates);

}  // namespace weft

// The kinds of nodes under test: those of the standard plugins.
#pragma once

#include <string>
#include <vector>

#include "framework/node/plugin.h"

namespace weft::tests {

std::vector<const NodeKind*> kinds();                // sorted by name
const NodeKind* find_kind(const std::string& name);  // null if no plugin has it

}  // namespace weft::tests

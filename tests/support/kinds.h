// The kinds of nodes under test: those that are linked into this test.
#pragma once

#include <string>
#include <vector>

#include "framework/node/plugin.h"

namespace weft::tests {

std::vector<const NodeKind*> kinds();                // sorted by name
const NodeKind* find_kind(const std::string& name);  // null if it is not linked

}  // namespace weft::tests

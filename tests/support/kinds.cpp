#include "tests/support/kinds.h"

#include "tests/support/lone_node.h"

namespace weft::tests {

std::vector<const NodeKind*> kinds() {
  std::vector<const NodeKind*> all;
  for (const std::string& name : standard_nodes().names())
    all.push_back(standard_nodes().find(name)->kind);
  return all;
}

const NodeKind* find_kind(const std::string& name) {
  const auto* entry = standard_nodes().find(name);
  return entry ? entry->kind : nullptr;
}

}  // namespace weft::tests

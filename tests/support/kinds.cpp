#include "tests/support/kinds.h"

#include <algorithm>
#include <string_view>

namespace weft {
const NodeKind* plugin_kinds = nullptr;
}

namespace weft::tests {

std::vector<const NodeKind*> kinds() {
  std::vector<const NodeKind*> all;
  for (const NodeKind* kind = plugin_kinds; kind; kind = kind->next) all.push_back(kind);
  std::sort(all.begin(), all.end(), [](const NodeKind* a, const NodeKind* b) {
    return std::string_view(a->name) < b->name;
  });
  return all;
}

const NodeKind* find_kind(const std::string& name) {
  for (const NodeKind* kind : kinds())
    if (name == kind->name) return kind;
  return nullptr;
}

}  // namespace weft::tests

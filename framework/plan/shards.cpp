#include "framework/plan/shards.h"

#include <bit>

namespace weft {

namespace {
void gather(Range tree, Range within, std::vector<Range>& found) {
  if (tree.end <= within.begin || within.end <= tree.begin) return;
  if (within.begin <= tree.begin && tree.end <= within.end) return found.push_back(tree);
  const Range left = left_half(tree);
  gather(left, within, found);
  gather({left.end, tree.end}, within, found);
}
}  // namespace

Range left_half(Range tree) {
  const auto size = static_cast<uint64_t>(tree.size());
  return {tree.begin, tree.begin + static_cast<int64_t>(std::bit_ceil(size) / 2)};
}

std::vector<Range> subtrees(int64_t shards, Range within) {
  std::vector<Range> found;
  gather({0, shards}, within, found);
  return found;
}

}  // namespace weft

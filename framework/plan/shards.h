// Shards: the parts of a batch whose gradients are added up in one order, whoever computes them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "framework/node/ports.h"

namespace weft {

// Sums over shards are made along a binary tree: [0, n) is the sum of [0, m) and [m, n), where m is
// the greatest power of two below n. So a process that computes some of the shards can add those up
// that stand in a subtree, and no bit depends on how many processes there are.
Range left_half(Range tree);

// The greatest subtrees of the tree over `shards` that lie within some of them, in order: within
// [2, 5) of 8 these are [2, 4) and [4, 5).
std::vector<Range> subtrees(int64_t shards, Range within);

// The sum of a tree. `given(range)` is the sum of a subtree, none if it must be made of its halves;
// null where there is nothing to add. `add(a, b)` adds b to a.
template <class Given, class Add>
float* tree_sum(Range tree, const Given& given, const Add& add) {
  if (const std::optional<float*> known = given(tree)) return *known;
  const Range left = left_half(tree);
  float* const a = tree_sum(left, given, add);
  float* const b = tree_sum({left.end, tree.end}, given, add);
  if (a && b) add(a, b);
  return a ? a : b;
}

}  // namespace weft

// The order in which the gradients of shards are added up.
#include "framework/plan/shards.h"

#include <gmock/gmock.h>

#include <array>
#include <numeric>

namespace weft::tests {
namespace {

using testing::ElementsAre;

TEST(ShardTrees, AreCutAtPowersOfTwo) {
  EXPECT_EQ(left_half({0, 8}), (Range{0, 4}));
  EXPECT_EQ(left_half({4, 7}), (Range{4, 6}));
  EXPECT_THAT(subtrees(8, {0, 8}), ElementsAre(Range{0, 8}));
  EXPECT_THAT(subtrees(8, {2, 5}), ElementsAre(Range{2, 4}, Range{4, 5}));
  EXPECT_THAT(subtrees(7, {3, 7}), ElementsAre(Range{3, 4}, Range{4, 7}));
  EXPECT_THAT(subtrees(8, {3, 3}), ElementsAre());
}

// Each process adds up its subtrees, one adds up theirs: always the bits of one process.
TEST(ShardTrees, SumAlikeForAnyNumberOfProcesses) {
  constexpr int64_t shards = 11;
  const auto sum = [](int64_t processes) {
    std::array<float, shards> leaves{};
    for (int64_t s = 0; s < shards; ++s)
      leaves[static_cast<size_t>(s)] = 1.0F / static_cast<float>(3 * s + 1);
    leaves[4] = 1e7F;  // so that the order matters
    const auto add = [](float* a, const float* b) { *a += *b; };
    std::vector<std::pair<Range, float*>> parts;
    for (int64_t p = 0; p < processes; ++p)
      for (const Range tree :
           subtrees(shards, {shards * p / processes, shards * (p + 1) / processes}))
        parts.emplace_back(tree, tree_sum(
                                     tree,
                                     [&](Range leaf) -> std::optional<float*> {
                                       if (leaf.size() > 1) return std::nullopt;
                                       if (leaf.begin == 6) return nullptr;  // it has none
                                       return &leaves[static_cast<size_t>(leaf.begin)];
                                     },
                                     add));
    return *tree_sum(
        Range{0, shards},
        [&](Range tree) -> std::optional<float*> {
          for (const auto& [of, part] : parts)
            if (of == tree) return part;
          return std::nullopt;
        },
        add);
  };
  for (int64_t processes = 2; processes <= shards; ++processes)
    EXPECT_EQ(sum(processes), sum(1)) << processes;
}

}  // namespace
}  // namespace weft::tests

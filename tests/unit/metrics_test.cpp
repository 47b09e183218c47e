#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/lone_node.h"

namespace weft::tests {
namespace {

TEST(Accuracy, CountsTheBestScores) {
  const std::vector<float> x{.1F, .7F, .2F, .5F, .5F, 0, .3F, .2F, .5F,
                             1,   1,   1,   0,   NAN, 0, 1,   2,   3};
  const std::vector<int32_t> label{1, 1, 0, 0, 1, 3};
  for (const auto& [top, right] : {std::pair{1, std::vector<float>{1, 0, 0, 1, 0, 0}},
                                   std::pair{2, std::vector<float>{1, 1, 1, 1, 0, 0}}}) {
    LoneNode node("accuracy", {{"top", int64_t{top}}});
    node.feed("x", {6, 3}, x).feed("label", {6}, label).infer();
    node.forward(0, 6);
    EXPECT_EQ(node.floats("y"), right) << top;
  }
}

TEST(ClassShare, MarksTheBestClass) {
  LoneNode node("class_share");
  node.feed("x", {2, 3}, std::vector<float>{0, 5, 5, -1, -2, -3}).infer();
  node.forward(0, 2);
  EXPECT_EQ(node.floats("y"), (std::vector<float>{0, 1, 0, 1, 0, 0}));
}

}  // namespace
}  // namespace weft::tests

// Puzzles made from images: patches and how they lie, targets and where.
#include <gmock/gmock.h>

#include <set>

#include "tests/support/lone_node.h"

namespace weft::tests {
namespace {

// Every pixel of a row of the batch says where it is: 100 row + column.
std::vector<float> places(int64_t rows, int64_t height, int64_t width) {
  std::vector<float> x;
  for (int64_t i = 0; i < rows * height * width; ++i)
    x.push_back(static_cast<float>(i / width % height * 100 + i % width));
  return x;
}

TEST(PatchPair, TheLabelTellsHowThePatchesLie) {
  constexpr int64_t rows = 200, side = 20, patch = 4, gap = 2;
  LoneNode node("patch_pair", {{"patch", patch}, {"gap", gap}});
  node.feed("x", {rows, side, side, 1}, places(rows, side, side)).infer();
  node.forward(0, rows);
  const auto a = node.floats("a"), b = node.floats("b");
  const auto label = node.ints("label");
  std::set<int32_t> seen;
  for (size_t row = 0; row < rows; ++row) {
    const size_t at = row * patch * patch;
    EXPECT_EQ(a[at], 808);  // (20 - 4) / 2
    const int32_t cell = label[row] < 4 ? label[row] : label[row] + 1;
    const auto down = static_cast<float>(cell / 3 - 1), right = static_cast<float>(cell % 3 - 1);
    EXPECT_EQ(b[at], 808 + 600 * down + 6 * right) << label[row];
    EXPECT_EQ(b[at + patch * patch - 1] - b[at], 303);
    seen.insert(label[row]);
  }
  EXPECT_EQ(seen.size(), 8U);
}

TEST(PatchPair, JitterStaysInTheImage) {
  constexpr int64_t rows = 200, side = 15, patch = 3;
  LoneNode node("patch_pair", {{"patch", patch}, {"gap", int64_t{1}}, {"jitter", int64_t{2}}});
  node.feed("x", {rows, side, side, 1}, places(rows, side, side)).infer();
  node.forward(0, rows);
  std::set<float> starts;
  const auto a = node.floats("a"), b = node.floats("b");
  for (size_t at = 0; at < a.size(); at += patch * patch) starts.insert(a[at]);
  EXPECT_EQ(starts.size(), 25U);
  for (const float pixel : b) EXPECT_LE(static_cast<int>(pixel) % 100, 14);
}

TEST(Paste, LaysTheTargetWhereItSays) {
  constexpr int64_t rows = 100, h = 2, w = 3;
  LoneNode node("paste");
  std::vector<float> target;
  for (int64_t i = 0; i < rows * h * w; ++i) target.insert(target.end(), {0.5F, 0.75F});
  node.feed("x", {rows, 6, 7, 1}, std::vector<float>(rows * 42, 4.0F))
      .feed("target", {rows, h, w, 2}, target)
      .infer();
  node.forward(0, rows);
  const auto y = node.floats("y"), position = node.floats("position");
  std::set<std::pair<float, float>> seen;
  for (size_t row = 0; row < rows; ++row) {
    const float top = position[2 * row] - 1, left = position[2 * row + 1] - 1.5F;
    seen.emplace(top, left);
    for (int i = 0; i < 6; ++i)
      for (int j = 0; j < 7; ++j) {
        const bool inside = static_cast<float>(i) >= top && static_cast<float>(i) < top + 2 &&
                            static_cast<float>(j) >= left && static_cast<float>(j) < left + 3;
        EXPECT_EQ(y[row * 42 + static_cast<size_t>(i * 7 + j)], inside ? 1.5F : 4.0F);
      }
  }
  EXPECT_GT(seen.size(), 20U);  // of 25 places
}

TEST(Mark, DrawsACrossThatMayEndOutside) {
  LoneNode node("mark", {{"arm", int64_t{1}}, {"value", 9.0}});
  node.feed("x", {2, 3, 3, 1}, std::vector<float>(18, 0.0F))
      .feed("position", {2, 2}, std::vector<float>{0.5F, 1.2F, -1e30F, NAN})
      .infer();
  node.forward(0, 2);
  const std::vector<float> y = node.floats("y");
  EXPECT_EQ(std::vector<float>(y.begin(), y.begin() + 9),
            (std::vector<float>{9, 9, 9, 0, 9, 0, 0, 0, 0}));
}

}  // namespace
}  // namespace weft::tests

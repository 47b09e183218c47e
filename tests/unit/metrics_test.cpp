#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "framework/node/host.h"
#include "framework/node/measure.h"
#include "framework/node/source.h"
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

TEST(Confusion, MarksTheRightAndTheBestClass) {
  LoneNode node("confusion");
  node.feed("x", {3, 2}, std::vector<float>{1, 2, 3, 1, 5, 5})
      .feed("label", {3}, std::vector<int32_t>{0, 1, -1})
      .infer();
  node.forward(0, 3);
  EXPECT_EQ(node.floats("y"), (std::vector<float>{0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0}));
}

TEST(Knn, VotesByCosine) {  // numbers from numpy
  LoneNode node(
      "knn",
      {{"classes", int64_t{3}}, {"capacity", int64_t{5}}, {"k", int64_t{2}}, {"temperature", .5}});
  std::vector<float> features(10), known(5, -1);
  node.feed("x", {4, 2}, std::vector<float>{1, 0, 0, 2, 3, 3, -1, 0})
      .feed("label", {4}, std::vector<int32_t>{0, 1, 1, 2})
      .infer();
  Host::bind(*node.node().host().states[0], {{5, 2}, DType::f32, features.data()});
  Host::bind(*node.node().host().states[1], {{5}, DType::f32, known.data()});
  node.node().prepare(Pass::forward);
  node.forward(0, 4);
  EXPECT_EQ(known, (std::vector<float>{0, 1, 1, 2, -1}));
  node.node().host().setting = {.mode = Mode::evaluate};
  node.feed("x", {4, 2}, std::vector<float>{2, 1, -1, 1, 0, 0, 0, 0});
  node.node().prepare(Pass::forward);
  node.forward(0, 2);
  const std::vector<float> votes{0.89716794F, 1, 0, 0, 1, 1};
  for (size_t i = 0; i < votes.size(); ++i) EXPECT_NEAR(node.floats("y")[i], votes[i], 1e-5) << i;
}

// Of a set that is one batch.
double measured(LoneNode& node, int64_t rows) {
  node.infer();
  auto& measure = dynamic_cast<Measure&>(node.node());
  measure.prepare(Pass::forward);
  measure.begin();
  measure.forward({0, rows});
  return measure.result();
}

double frechet(const Shape& shape, const std::vector<float>& a, const std::vector<float>& b) {
  LoneNode node("frechet_distance");
  node.feed("a", shape, a).feed("b", shape, b);
  return measured(node, shape.rows());
}

TEST(FrechetDistance, EqualsNumpy) {
  const std::vector<float> a{1, 2, 3, -1, .5F, .25F, -2, 4, 0, 1},
      b{0, 1, 2, 2, -1, 3, 4, .5F, 1, -2};
  EXPECT_NEAR(frechet({5, 2}, a, b), 1.6578797636395919, 1e-12);
  EXPECT_NEAR(frechet({5, 2}, b, a), 1.6578797636395919, 1e-12);
  EXPECT_NEAR(frechet({3, 2}, {1, 5, 2, 5, 4, 5}, {0, 5, 1, 4, 2, 6}), 3.056060647807218, 1e-7);
}

TEST(FrechetDistance, IsTheMeansIfTheRestIsAlike) {
  const std::vector<float> a{1, 2, 3, -1, .5F, .25F, -2, 4, 0, 1};
  std::vector<float> moved = a;
  for (size_t i = 0; i < a.size(); ++i) moved[i] += i % 2 == 0 ? 3 : 4;
  EXPECT_NEAR(frechet({5, 2}, a, a), 0, 1e-12);
  EXPECT_NEAR(frechet({5, 2}, a, moved), 25, 1e-12);
}

TEST(FrechetDistance, IsFiniteWithFewerSamplesThanFeatures) {
  std::vector<float> a(300), b(300);
  std::iota(a.begin(), a.end(), 0.0F);
  std::iota(b.rbegin(), b.rend(), 1.0F);
  EXPECT_TRUE(std::isfinite(frechet({3, 100}, a, b)));
}

TEST(MeanOverClasses, EqualsNumpy) {  // class 2 is never right; 3 and 4 do not occur
  const std::vector<int32_t> label{0, 0, 1, 1, 1, 2, -1, 0}, guess{0, 1, 1, 1, 0, 0, 2, 0};
  std::vector<float> x(8 * 5);
  for (size_t row = 0; row < guess.size(); ++row) x[row * 5 + static_cast<size_t>(guess[row])] = 1;
  for (const auto& [kind, value] : {std::pair{"precision", 7.0 / 18}, std::pair{"recall", 4.0 / 9},
                                    std::pair{"f1", 26.0 / 63}}) {
    LoneNode node(kind);
    node.feed("x", {8, 5}, x).feed("label", {8}, label);
    EXPECT_NEAR(measured(node, 8), value, 1e-12) << kind;
  }
}

double recall_at(int64_t k, int64_t capacity, const std::vector<float>& a,
                 const std::vector<float>& b) {
  LoneNode node("recall_at", {{"k", k}, {"capacity", capacity}});
  node.feed("a", {5, 2}, a).feed("b", {5, 2}, b);
  return measured(node, 5);
}

TEST(RecallAt, CountsThoseAmongTheNearest) {  // numpy has their own b at places 2, 2, 1, 1, 1
  const std::vector<float> a{1, 0, 0, 1, 1, 1, -1, .5F, 3, .1F},
      b{1, .2F, 1, .3F, 2, 3, -1, 0, 1, .1F};
  EXPECT_EQ(recall_at(1, 5, a, b), 0.6);
  EXPECT_EQ(recall_at(1, 200, a, b), 0.6);
  EXPECT_EQ(recall_at(2, 5, a, b), 1);
  EXPECT_EQ(recall_at(1, 2, a, b), 1) << "others than the first two count";
}

TEST(RecallAt, FindsNothingIfAllIsAlike) {
  EXPECT_EQ(recall_at(4, 5, std::vector<float>(10, 1), std::vector<float>(10, 1)), 0);
  EXPECT_EQ(recall_at(4, 5, std::vector<float>(10, NAN), std::vector<float>(10, 1)), 0);
}

}  // namespace
}  // namespace weft::tests

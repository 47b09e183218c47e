// Distributions of random draws, from seeds that are fixed: bounds hold for a right node.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/support/lone_node.h"

namespace weft::tests {
namespace {

using testing::HasSubstr;
using Ints = std::vector<int32_t>;
using Floats = std::vector<float>;

// What the node gives in its first step.
LoneNode& drawn(LoneNode& node, int64_t step = 0) {
  if (step == 0) node.infer(), node.node().prepare(Pass::forward);
  node.forward(step, 1);
  return node;
}

std::string refusal(LoneNode& node) {
  try {
    drawn(node);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// Σ (count - expected)² / expected
double chi_square(const std::vector<double>& counts, const std::vector<double>& shares) {
  const double n = std::accumulate(counts.begin(), counts.end(), 0.0);
  double sum = 0;
  for (size_t i = 0; i < counts.size(); ++i)
    sum += (counts[i] - n * shares[i]) * (counts[i] - n * shares[i]) / (n * shares[i]);
  return sum;
}

std::vector<double> counts(const Ints& y, size_t classes) {
  std::vector<double> counts(classes);
  for (const int32_t c : y) ++counts.at(static_cast<size_t>(c));
  return counts;
}

std::pair<double, double> moments(const Floats& y) {
  double mean = 0, square = 0;
  for (const float f : y) mean += static_cast<double>(f), square += static_cast<double>(f * f);
  mean /= static_cast<double>(y.size());
  return {mean, square / static_cast<double>(y.size()) - mean * mean};
}

const std::vector<int64_t> many{20, 5000};

TEST(Draws, HaveTheirMoments) {
  LoneNode uniform("uniform", {{"shape", many}, {"least", -1.0}, {"most", 2.0}});
  const Floats u = drawn(uniform).floats("y");
  EXPECT_NEAR(moments(u).first, 0.5, 0.01);
  EXPECT_NEAR(moments(u).second, 0.75, 0.01);
  EXPECT_GE(*std::ranges::min_element(u), -1);
  EXPECT_LE(*std::ranges::max_element(u), 2);
  LoneNode normal("normal", {{"shape", many}});
  EXPECT_NEAR(moments(drawn(normal).floats("y")).first, 0, 0.01);
  EXPECT_NEAR(moments(normal.floats("y")).second, 1, 0.02);
  LoneNode gumbel("gumbel", {{"shape", many}});
  EXPECT_NEAR(moments(drawn(gumbel).floats("y")).first, 0.57722, 0.02);
  EXPECT_NEAR(moments(gumbel.floats("y")).second, 1.64493, 0.05);
}

TEST(Draws, BernoulliTakesAProbabilityOrMany) {
  LoneNode one("bernoulli", {{"shape", many}, {"p", 0.3}});
  EXPECT_NEAR(moments(drawn(one).floats("y")).first, 0.3, 0.01);
  EXPECT_NEAR(moments(one.floats("y")).second, 0.21, 0.01);
  LoneNode several("bernoulli");
  several.feed("probabilities", {3, 2}, Floats{0, 1, 1, 0, 0, 1});
  EXPECT_EQ(drawn(several).floats("y"), (Floats{0, 1, 1, 0, 0, 1}));
}

TEST(Draws, IntegersAreAllAlike) {
  LoneNode node("integers", {{"shape", many}, {"below", int64_t{7}}});
  EXPECT_LT(chi_square(counts(drawn(node).ints("y"), 7), std::vector<double>(7, 1.0 / 7)), 22);
  LoneNode wide("integers", {{"shape", many}, {"below", (int64_t{1} << 31) - 1}});
  Ints y = drawn(wide).ints("y");
  for (int32_t& i : y) i >>= 28;
  EXPECT_LT(chi_square(counts(y, 8), std::vector<double>(8, 0.125)), 24);
}

TEST(Draws, TakeTheirShapeFromElsewhere) {
  LoneNode neither("normal");
  EXPECT_THAT(refusal(neither), HasSubstr("neither `shape`, [rows, ...], nor `like` is given"));
  LoneNode both("uniform", {{"shape", std::vector<int64_t>{5, 7}}});
  both.feed("like", {2}, Ints(2));
  EXPECT_EQ(drawn(both).out("y").shape(), (Shape{2, 5, 7}));
  LoneNode given("bernoulli", {{"shape", many}});
  given.feed("probabilities", {2, 3}, Floats(6));
  EXPECT_THAT(refusal(given), HasSubstr("`probabilities` give the shape"));
  LoneNode like("integers", {{"below", int64_t{2}}});
  like.feed("like", {2, 3}, Floats(6));
  EXPECT_EQ(drawn(like).out("y").shape(), (Shape{2, 3}));
  LoneNode flat("permutation", {{"shape", std::vector<int64_t>{3}}});
  EXPECT_THAT(refusal(flat), HasSubstr("`shape` is [3], but must be [rows, n, ...]"));
}

TEST(Draws, AreOneNumberOutsideTraining) {
  LoneNode two("normal", {{"shape", many}, {"outside_training", std::vector<double>{0, 1}}});
  EXPECT_THAT(refusal(two), HasSubstr("`outside_training` has 2 numbers, but must be one"));
  LoneNode half(
      "integers",
      {{"shape", many}, {"below", int64_t{2}}, {"outside_training", std::vector<double>{0.5}}});
  EXPECT_THAT(refusal(half), HasSubstr("must be a whole number of i32"));
}

TEST(Permutation, PutsEachPositionEverywhereAlike) {
  LoneNode node("permutation", {{"shape", std::vector<int64_t>{20000, 5}}});
  const Ints y = drawn(node).ints("y");
  std::vector<double> at(25), orders(3125);
  for (size_t row = 0; row < 20000; ++row) {
    size_t order = 0;
    std::array<bool, 5> found{};
    for (size_t i = 0; i < 5; ++i) {
      const auto position = static_cast<size_t>(y[5 * row + i]);
      found.at(position) = true, ++at[5 * i + position], order = 5 * order + position;
    }
    ASSERT_EQ(std::ranges::count(found, true), 5) << row;
    ++orders[order];
  }
  EXPECT_LT(chi_square(at, std::vector<double>(25, 0.04)), 45);
  std::erase(orders, 0);
  ASSERT_EQ(orders.size(), 120);
  EXPECT_LT(chi_square(orders, std::vector<double>(120, 1.0 / 120)), 180);
}

TEST(Subset, IsInOrderAndLeavesTheRest) {
  LoneNode node("subset", {{"shape", std::vector<int64_t>{20000, 6, 3}}, {"k", int64_t{2}}});
  const Ints y = drawn(node).ints("y"), rest = node.ints("rest");
  ASSERT_EQ(node.out("y").shape(), (Shape{20000, 2}));
  ASSERT_EQ(node.out("rest").shape(), (Shape{20000, 4}));
  std::vector<double> pairs(36);
  for (size_t row = 0; row < 20000; ++row) {
    Ints all(y.begin() + 2 * row, y.begin() + 2 * row + 2);
    ASSERT_LT(all[0], all[1]);
    ++pairs[static_cast<size_t>(6 * all[0] + all[1])];
    ASSERT_TRUE(std::is_sorted(rest.begin() + 4 * row, rest.begin() + 4 * row + 4));
    all.insert(all.end(), rest.begin() + 4 * row, rest.begin() + 4 * row + 4);
    std::ranges::sort(all);
    ASSERT_EQ(all, (Ints{0, 1, 2, 3, 4, 5}));
  }
  std::erase(pairs, 0);
  ASSERT_EQ(pairs.size(), 15);
  EXPECT_LT(chi_square(pairs, std::vector<double>(15, 1.0 / 15)), 36);
  LoneNode all("subset", {{"shape", many}, {"k", int64_t{5000}}});
  EXPECT_THAT(refusal(all), HasSubstr("`k` is 5000, but must be less than the 5000 positions"));
}

const Floats shares{.4F, .1F, .3F, .15F, .05F};  // of five classes

// How often each class is drawn, of 20000 times.
std::vector<double> frequencies(const LoneNode::Params& params, const Ints& seen = {}) {
  constexpr int64_t rows = 20000;
  Floats logits;
  Ints repeated;
  for (int64_t row = 0; row < rows; ++row) {
    for (const float p : shares) logits.push_back(2 + std::log(p));
    repeated.insert(repeated.end(), seen.begin(), seen.end());
  }
  LoneNode node("categorical", params);
  node.feed("logits", {rows, 5}, logits);
  if (!seen.empty()) node.feed("seen", {rows, static_cast<int64_t>(seen.size())}, repeated);
  return counts(drawn(node).ints("y"), 5);
}

// The chi-square against `expected`, once classes that must not occur are out.
double misfit(std::vector<double> counts, std::vector<double> expected) {
  for (size_t i = 0; i < counts.size(); ++i) {
    if (expected[i] != 0) continue;
    EXPECT_EQ(counts[i], 0) << i;
  }
  std::erase_if(counts, [](double count) { return count == 0; });
  std::erase(expected, 0);
  const double sum = std::accumulate(expected.begin(), expected.end(), 0.0);
  for (double& share : expected) share /= sum;
  return chi_square(counts, expected);
}

TEST(Categorical, DrawsByProbabilityAndTemperature) {
  EXPECT_LT(misfit(frequencies({}), {.4, .1, .3, .15, .05}), 18);
  EXPECT_LT(misfit(frequencies({{"temperature", 0.5}}), {.16, .01, .09, .0225, .0025}), 18);
  EXPECT_EQ(frequencies({{"temperature", 0.0}})[0], 20000);
  EXPECT_EQ(frequencies({{"temperature", 1e-300}})[0], 20000);
}

TEST(Categorical, KeepsWhatFiltersLeave) {
  EXPECT_LT(misfit(frequencies({{"top_k", int64_t{3}}}), {.4, 0, .3, .15, 0}), 14);
  EXPECT_LT(misfit(frequencies({{"top_p", 0.75}}), {.4, 0, .3, .15, 0}), 14);
  EXPECT_LT(misfit(frequencies({{"top_p", 0.65}}), {.4, 0, .3, 0, 0}), 11);
  EXPECT_EQ(frequencies({{"top_p", 1e-9}})[0], 20000);
  EXPECT_LT(misfit(frequencies({{"min_p", 0.3}}), {.4, 0, .3, .15, 0}), 14);
  EXPECT_EQ(frequencies({{"min_p", 1.0}})[0], 20000);
}

// top-p counts within what top-k left, 4/7 + 3/7, and temperature comes last.
TEST(Categorical, FiltersInTurn) {
  EXPECT_EQ(frequencies({{"top_k", int64_t{2}}, {"top_p", 0.55}})[0], 20000);
  EXPECT_LT(misfit(frequencies({{"top_p", 0.75}, {"temperature", 2.0}}),
                   {std::sqrt(.4), 0, std::sqrt(.3), std::sqrt(.15), 0}),
            14);
}

TEST(Categorical, PenalizesWhatWasSeen) {  // logits 1.084, -0.303, 0.796, 0.103 and -0.996
  const auto logit = [](float p) { return 2 + std::log(static_cast<double>(p)); };
  EXPECT_LT(misfit(frequencies({{"repetition_penalty", 2.0}}, {0, -1, 4, 0}),
                   {std::exp(logit(.4F) / 2 - 2), .1, .3, .15, std::exp(2 * logit(.05F) - 2)}),
            18);
  EXPECT_EQ(frequencies({{"repetition_penalty", 2.0}, {"temperature", 0.0}}, {0, 3})[2], 20000);
  LoneNode alone("categorical", {{"repetition_penalty", 2.0}});
  alone.feed("logits", {1, 5}, shares);
  EXPECT_THAT(refusal(alone), HasSubstr("`repetition_penalty` needs `seen`"));
  LoneNode unknown("categorical");
  unknown.feed("logits", {1, 5}, shares).feed("seen", {1, 1}, Ints{5});
  EXPECT_THAT(refusal(unknown), HasSubstr("`seen` holds 5, but `logits` have 5 classes"));
}

TEST(Categorical, NeverDrawsWhatIsMasked) {
  LoneNode node("categorical", {{"top_p", 0.99}});
  const float no = -INFINITY;
  node.feed("logits", {2, 3}, Floats{no, 0, no, no, no, 3});
  for (int64_t step = 0; step < 50; ++step) EXPECT_EQ(drawn(node, step).ints("y"), (Ints{1, 2}));
  for (const float wrong : {NAN, INFINITY, -INFINITY}) {
    LoneNode bad("categorical");
    bad.feed("logits", {1, 2}, Floats{wrong, no});
    EXPECT_THAT(refusal(bad), HasSubstr("`logits` hold NaN or inf, or nothing but -inf"));
  }
}

}  // namespace
}  // namespace weft::tests

// Gradients as values: what they are, by rows and lanes, in loops, and training through them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "framework/run/engine.h"
#include "tests/support/evaluated.h"
#include "tests/support/lone_node.h"

namespace weft::tests {
namespace {

using Numbers = std::vector<float>;

// x: 0, 1, 2, 3 in rows of one number.
const std::string four = R"(evaluate:
  nodes:
    row: {node: cycle, rows: 4, below: 4}
    x:   {node: to_float, x: row}
)";

TEST(Gradients, AreDerivativesAddedUpOverReaders) {  // x (x + x²): 2x + 3x²
  const std::string nodes = four + R"(
    sq:    {node: square, x: x}
    both:  {node: add, a: x, b: sq}
    score: {node: multiply, a: both, b: x}
    slope: {gradient: score, of: x}
)";
  for (const int lanes : {1, 2, 4})
    for (const bool check : {false, true})
      EXPECT_FLOAT_EQ(evaluated(nodes, "slope", lanes, check)[0], (0.0 + 5 + 16 + 33) / 4);
}

TEST(Gradients, HaveGradients) {  // x³, 3x², 6x
  const std::string nodes = four + R"(
    cube:   {node: power, x: x, exponent: 3}
    slope:  {gradient: cube, of: x}
)";
  EXPECT_FLOAT_EQ(evaluated(nodes, "slope")[0], 3 * 14.0 / 4);
  const std::string bend = "    bend: {gradient: slope, of: x}\n";
  EXPECT_FLOAT_EQ(evaluated(nodes + bend, "bend")[0], 6 * 6.0 / 4);
}

TEST(Gradients, OfANodeThatLeavesValuesForThem) {  // a softmax that no step trains
  const std::string nodes = four + R"(
    wide:  {node: reshape, x: x, shape: [1]}
    zero:  {node: scale, x: wide, by: 0, plus: 0}
    pair:  {node: concat, xs: [wide, zero]}
    row_of: {node: reshape, x: pair, shape: [1, 2]}
    see:   {node: attention, q: row_of, k: row_of, v: row_of}
    score: {node: sum, x: see}
    slope: {gradient: score, of: x}
)";                                                // one key: what it sees is the value itself
  EXPECT_FLOAT_EQ(evaluated(nodes, "slope")[0], 1);
}

TEST(Gradients, OfBatchNorm) {  // with the statistics that it starts with, 0 and 1
  const std::string nodes = R"(modules:
  normed: {inputs: [x], nodes: {n: {node: batch_norm, x: x}}, outputs: {y: n}}
)" + four + R"(
    wide:  {node: reshape, x: x, shape: [1]}
    score: {use: normed, x: wide}
    slope: {gradient: score, of: x}
)";
  EXPECT_NEAR(evaluated(nodes, "slope")[0], 1, 1e-4);
}

TEST(Gradients, OfWhatALoopRemembers) {  // the slope of turn t is t + 1
  const std::string nodes = R"(fragments:
  climb:
    inputs: [x]
    nodes:
      all:    {node: history, x: x}
      weight: {node: constant, like: x, value: [1, 2, 3], shape: [3, 1]}
      each:   {node: multiply, a: all.y, b: weight}
      score:  {node: sum, x: each}
      slope:  {gradient: score, of: x}
      next:   {node: add, a: x, b: slope}
    outputs: {x: next}
)" + four + R"(
    start: {node: reshape, x: x, shape: [1, 1]}
    end:   {node: climb, loop: {times: 3, carry: {x: start}}}
)";
  EXPECT_FLOAT_EQ(evaluated(nodes, "end")[0], 1.5 + 6);
}

TEST(Gradients, OfTurnsOfALoop) {  // x - 0.1 · 2x, five times
  const std::string nodes = R"(fragments:
  descend:
    inputs: [x]
    nodes:
      sq:    {node: square, x: x}
      slope: {gradient: sq, of: x}
      step:  {node: scale, x: slope, by: -0.1}
      less:  {node: add, a: x, b: step}
    outputs: {x: less}
)" + four + "    end: {node: descend, loop: {times: 5, carry: {x: x}}}\n";
  for (const int lanes : {1, 4})
    EXPECT_NEAR(evaluated(nodes, "end", lanes)[0], 1.5 * 0.32768, 1e-6);
}

TEST(Gradients, OfNodesThatSaveNumbersOfTheWholeBatch) {
  const auto plan = planned(R"(modules:
  critic:
    inputs: [x]
    nodes:
      h: {node: linear, x: x, features: 3}
      n: {node: batch_norm, x: h}
      d: {node: dropout, x: n, rate: 0.2}
      s: {node: linear, x: d, features: 1}
    outputs: {s: s}
train:
  nodes:
    x:     {node: normal, shape: [8, 2]}
    score: {use: critic, x: x}
    slope: {gradient: score, of: x}
    held:  {node: stop_gradient, x: slope}
    steep: {node: mean, x: held}
    low:   {node: mean, x: score}
    loss:  {node: add, a: low, b: steep}
  phases: [{minimize: loss, update: critic, optimizer: {node: sgd, lr: 0.1}}]
  steps: 1
)",
                            Mode::train);
  Weights model;
  model.add(*plan);
  Engine engine(*plan, standard_nodes(), model, {.threads = 2});
  engine.step(0, 0);
  EXPECT_TRUE(std::isfinite(engine.loss(0)));
}

// The weight of one linear layer, 2 -> 1, before and after a step that minimizes `loss`.
std::pair<Numbers, Numbers> learned(const std::string& nodes, int lanes, int threads) {
  const auto plan = planned(R"(modules:
  critic:
    inputs: [x]
    nodes: {score: {node: linear, x: x, features: 1, bias: false}}
    outputs: {score: score}
train:
  lanes: )" + std::to_string(lanes) +
                                R"(
  nodes:
    x:     {node: normal, shape: [8, 2]}
    score: {use: critic, x: x}
    slope: {gradient: score, of: x}
)" + nodes + R"(
  phases: [{minimize: loss, update: critic, optimizer: {node: sgd, lr: 0.1}}]
  steps: 1
)",
                            Mode::train);
  Weights model;
  model.add(*plan);
  const Tensor weight = model["critic.score.weight"];
  const Numbers before(weight.span().begin(), weight.span().end());
  Engine engine(*plan, standard_nodes(), model, {.threads = threads});
  engine.step(0, 0);
  return {before, Numbers(weight.span().begin(), weight.span().end())};
}

TEST(Gradients, AreTrainedThrough) {  // the slope is w, the loss w², so w becomes 0.8 w
  const std::string nodes =
      "    squares: {node: square, x: slope}\n"
      "    loss: {node: sum, x: squares}\n";
  for (const int lanes : {1, 2, 4}) {
    const auto [before, after] = learned(nodes, lanes, 2);
    for (size_t i = 0; i < before.size(); ++i) EXPECT_FLOAT_EQ(after[i], 0.8F * before[i]);
  }
}

TEST(Gradients, AreTrainedThroughWhereABendIsWidened) {  // score³: slope 3 score² w
  const std::string nodes = R"(    cube:    {node: power, x: score, exponent: 3}
    steep:   {gradient: cube, of: x}
    both:    {node: multiply, a: steep, b: slope}
    product: {node: sum, x: both}
    loss:    {node: mean, x: product}
)";
  const auto [before, after] = learned(nodes, 1, 1);
  const auto [again, same] = learned(nodes, 4, 2);
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_NE(after[i], before[i]);
    EXPECT_NEAR(after[i], same[i], 1e-6);
  }
}

std::string refused(const std::string& nodes, Mode mode = Mode::evaluate) {
  try {
    (void)planned(nodes, mode);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Gradients, ThatAreNoneAreRefused) {
  EXPECT_THAT(refused(four + "    noise: {node: normal, like: x}\n"
                             "    slope: {gradient: x, of: noise}\n  report: slope\n"),
              testing::HasSubstr("no gradient of `x` reaches `noise`"));
  EXPECT_THAT(refused(four + "    held: {node: stop_gradient, x: x}\n"
                             "    slope: {gradient: held, of: x}\n  report: slope\n"),
              testing::HasSubstr("no gradient of `held` reaches `x`"));
  EXPECT_THAT(refused(four + "    slope: {gradient: row, of: x}\n  report: slope\n"),
              testing::HasSubstr("`row` is [4] of i32, but must be [batch, ...] of f32"));
  const std::string loop =
      "fragments: {more: {inputs: [x], nodes: {y: {node: scale, x: x, by: 2}}, "
      "outputs: {x: y}}}\n";
  EXPECT_THAT(refused(loop + four +
                      "    far: {node: more, loop: {times: 2, carry: {x: x}}}\n"
                      "    both: {node: add, a: x, b: far}\n"
                      "    slope: {gradient: both, of: x}\n  report: slope\n"),
              testing::HasSubstr("no gradient passes a loop, but `both` depends on `x` through"));
}

}  // namespace
}  // namespace weft::tests

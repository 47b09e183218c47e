// What one part of a pipeline computes does not depend on what stands beside it.
#include <gtest/gtest.h>

#include <cstring>

#include "framework/plan/build_plan.h"
#include "framework/run/engine.h"
#include "tests/support/lone_node.h"

namespace weft::tests {
namespace {

std::string stream(const std::string& name) {
  return "    " + name + "_y: {use: " + name + ", x: noise}\n    " + name +
         "_loss: {node: mse, x: " + name + "_y, target: goal}\n";
}

// Residual batch norms in the given modules, each with a loss of its own; `phases` as YAML.
std::string pipeline(const std::vector<std::string>& names, const std::string& more,
                     const std::string& phases) {
  std::string text = "weft: 1\nmodules:\n";
  for (const std::string& name : names)
    text += "  " + name +
            ":\n    inputs: [x]\n    nodes:\n"
            "      h: {node: linear, x: x, features: 6}\n"
            "      b: {node: batch_norm, x: h}\n"
            "      r: {node: relu, x: b}\n"
            "      y: {node: add, a: r, b: h}\n"
            "    outputs: {y: y}\n";
  text +=
      "train:\n  nodes:\n    noise: {node: normal, shape: [32, 6]}\n"
      "    goal: {node: normal, shape: [32, 6]}\n";
  for (const std::string& name : names) text += stream(name);
  return text + more + "  phases:\n" + phases + "  lanes: 4\n  steps: 10\n";
}

std::map<std::string, std::vector<float>> trained(const std::string& text, int64_t steps,
                                                  std::vector<double>* report = nullptr) {
  Mistakes mistakes;
  Pipeline p = Pipeline::parse(text, "pipeline.yaml", {}, mistakes);
  const auto plan = build_plan(p, standard_nodes(), Mode::train, {}, mistakes);
  mistakes.check();
  Weights model;
  model.add(*plan);
  Engine engine(*plan, standard_nodes(), model, {.threads = 2});
  for (int64_t step = 0; step < steps; ++step) engine.step(step, step);
  if (report) *report = engine.report(0);
  std::map<std::string, std::vector<float>> weights;
  for (const NamedTensor& t : model.tensors())
    weights[t.name].assign(t.tensor.span().begin(), t.tensor.span().end());
  return weights;
}

void expect_same(const std::map<std::string, std::vector<float>>& some,
                 const std::map<std::string, std::vector<float>>& all) {
  for (const auto& [name, values] : some) {
    const auto& others = all.at(name);
    ASSERT_EQ(values.size(), others.size());
    EXPECT_EQ(std::memcmp(values.data(), others.data(), values.size() * sizeof(float)), 0) << name;
  }
}

const std::string both = "    - {minimize: loss, update: [a, b], optimizer: {node: sgd, lr: 1}}\n";

std::string only(const std::string& name, const std::string& more = "") {
  return "    - {name: " + name + ", minimize: " + name + "_loss, update: " + name +
         ", optimizer: {node: sgd, lr: 1}" + more + "}\n";
}

TEST(Engine, BranchesDoNotDisturbEachOther) {
  const auto a = trained(pipeline({"a"}, "", only("a")), 1);
  const auto b = trained(pipeline({"b"}, "", only("b")), 1);
  for (const auto& order : {std::vector<std::string>{"a", "b"}, {"b", "a"}}) {
    const auto together =
        trained(pipeline(order, "    loss: {node: add, a: a_loss, b: b_loss}\n", both), 1);
    expect_same(a, together);
    expect_same(b, together);
  }
}

TEST(Engine, PhasesDoNotDisturbEachOther) {
  const auto a = trained(pipeline({"a"}, "", only("a")), 4);
  const auto b = trained(pipeline({"b"}, "", only("b")), 4);
  const auto together = trained(pipeline({"a", "b"}, "", only("a") + only("b")), 4);
  expect_same(a, together);
  expect_same(b, together);
}

TEST(Engine, APhaseThatRestsLeavesTheOthersAlone) {
  const auto a = trained(pipeline({"a"}, "", only("a")), 3);
  for (const bool rests_last : {true, false}) {
    const std::string rest = only("b", ", every: 2");
    std::vector<double> report;
    const auto together = trained(pipeline({"a", "b"}, "  report: [b_loss]\n",
                                           rests_last ? only("a") + rest : rest + only("a")),
                                  3, &report);
    expect_same(a, together);
    EXPECT_GT(report[0], 0.1);  // not the seed of a gradient, 1/32
  }
}

TEST(Engine, AReportIsTheSameBesideOtherNodes) {
  const std::string phase = only("a");
  std::vector<double> alone, beside;
  trained(pipeline({"a"}, "  report: [a_loss]\n", phase), 1, &alone);
  trained(pipeline({"a"},
                   "    big: {node: scale, x: a_y, by: 100}\n"
                   "    far: {node: mse, x: big, target: goal}\n"
                   "  report: [a_loss, far]\n",
                   phase),
          1, &beside);
  EXPECT_EQ(alone[0], beside[0]);
}

}  // namespace
}  // namespace weft::tests

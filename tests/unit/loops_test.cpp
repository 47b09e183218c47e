// Loops within a step: turns, what is carried and collected, rows that are done, loops in loops.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "framework/plan/build_plan.h"
#include "framework/run/engine.h"
#include "tests/support/lone_node.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"

namespace weft::tests {
namespace {

using testing::ElementsAre;

using Rows = std::vector<std::vector<double>>;

// Parts of pipelines: a net with weights, and what the loops below run.
const std::string modules = R"(weft: 1
modules:
  net:
    inputs: [x]
    nodes: {y: {node: linear, x: x, features: 3, activation: tanh}}
    outputs: {y: y}
  normed:
    inputs: [x]
    nodes:
      h: {node: linear, x: x, features: 3}
      y: {node: batch_norm, x: h}
    outputs: {x: y}
fragments:
  count: {inputs: [x], nodes: {more: {node: scale, x: x, by: 1, plus: 1}}, outputs: {x: more}}
  count_to_5:
    inputs: [x]
    nodes:
      more: {node: scale, x: x, by: 1, plus: 1}
      over: {node: scale, x: more, by: 1, plus: -4}
      done: {node: relu, x: over}
    outputs: {x: more, done: done}
  noise:
    inputs: [x]
    nodes:
      drop: {node: normal, shape: [8, 3]}
      y: {node: add, a: drop, b: x}
    outputs: {x: y, drop: drop}
  adds: {inputs: [x, t], nodes: {y: {node: add, a: x, b: t}}, outputs: {x: y}}
  outer:
    inputs: [x]
    nodes: {in: {node: count, loop: {times: 3, carry: {x: x}}}}
    outputs: {x: in}
  outer_noise:
    inputs: [x]
    nodes: {in: {node: noise, loop: {times: 5, carry: {x: x}, collect: {drops: drop}}}}
    outputs: {x: in.x, drops: in.drops}
  shared_noise:
    inputs: [x]
    nodes:
      two: {node: constant, value: [2, 1, 3]}
      n:   {node: normal, like: two}
      y:   {formula: x + two * n}
    outputs: {x: y}
  net_turn: {inputs: [x], nodes: {y: {use: net, x: x}}, outputs: {x: y}}
  net_and_noise:
    inputs: [x]
    nodes:
      h: {use: net, x: x}
      n: {node: normal, shape: [8, 3]}
      y: {node: add, a: h, b: n}
    outputs: {x: y}
)";

struct How {
  int threads = 2;
  int lanes = 2;
  bool check = false;
};

// The rows that `value` has in a section `generate` of these nodes.
Rows values(const std::string& nodes, const std::string& value, const How& how = {}) {
  const TemporaryDirectory folder;
  const std::string text = modules + "generate:\n  lanes: " + std::to_string(how.lanes) +
                           "\n  nodes:\n" + nodes + "    out: {node: csv_file, xs: [" + value +
                           "], names: [v], path: out.csv}\n" +
                           "train:\n  nodes:\n    z: {node: normal, shape: [8, 3]}\n"
                           "    o: {use: net, x: z}\n    n: {use: normed, x: z}\n"
                           "    b: {node: add, a: o, b: n}\n"
                           "    loss: {node: mse, x: b, target: z}\n"
                           "  phases: [{minimize: loss, update: [net, normed], optimizer: {node: "
                           "sgd, lr: 0.1}}]\n  steps: 1\n";
  Mistakes mistakes;
  const Pipeline pipeline = Pipeline::parse(text, "pipeline.yaml", {}, mistakes);
  const auto plan = build_plan(pipeline, standard_nodes(), Mode::generate, {{}, 1}, mistakes);
  mistakes.check();
  Weights model;
  model.add(*plan);
  Engine engine(*plan, standard_nodes(), model,
                {.threads = how.threads, .output_dir = folder.path(), .check = how.check});
  engine.begin_pass();
  engine.step(0, 0);
  engine.end_pass();
  std::istringstream lines(read_text(folder / "out.csv"));
  std::string line;
  std::getline(lines, line);
  Rows rows;
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    rows.emplace_back();
    for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(std::stod(cell));
  }
  return rows;
}

std::vector<double> column(const Rows& rows) {
  std::vector<double> all;
  for (const auto& row : rows) all.push_back(row.at(0));
  return all;
}

const std::string from_0_to_7 =
    "    row: {node: cycle, rows: 8, below: 8}\n    start: {node: to_float, x: row}\n";
const std::string start = "    start: {node: normal, shape: [8, 3]}\n";

TEST(Loops, AreAsTheirTurnsOneAfterTheOther) {
  const std::string chain =
      start + "    a: {use: net, x: start}\n    b: {use: net, x: a}\n    c: {use: net, x: b}\n";
  for (const auto& [threads, lanes] : {std::pair{1, 1}, {2, 1}, {1, 4}, {4, 8}})
    for (const bool check : {false, true})  // products of other rows may have other bits
      EXPECT_EQ(values(start + "    c: {node: net_turn, loop: {times: 3, carry: {x: start}}}\n",
                       "c", {threads, lanes, check}),
                values(chain, "c", {2, lanes}));
}

TEST(Loops, KeepWhatARowHadWhenItWasDone) {
  const std::string loop =
      "    end: {node: count_to_5, loop: {times: 9, carry: {x: start}, until: done, collect: {all: "
      "x}}}\n";
  EXPECT_THAT(column(values(from_0_to_7 + loop, "end.x")), ElementsAre(5, 5, 5, 5, 5, 6, 7, 8));
  const Rows all = values(from_0_to_7 + loop, "end.all");
  EXPECT_THAT(all[2], ElementsAre(3, 4, 5, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(all[7], ElementsAre(8, 0, 0, 0, 0, 0, 0, 0, 0));
  for (const auto& [threads, lanes] : {std::pair{1, 1}, {4, 8}})
    EXPECT_EQ(values(from_0_to_7 + loop, "end.all", {threads, lanes, true}), all);
}

TEST(Loops, HaveNumbersOfTheirTurns) {
  const std::string sum =
      "    end: {node: adds, loop: {times: 4, carry: {x: start}, over: {t: OVER}, collect: {all: "
      "x}}}\n";
  const auto all = [&](const std::string& over) {
    std::string loop = sum;
    loop.replace(loop.find("OVER"), 4, over);
    return values(from_0_to_7 + loop, "end.all")[0];
  };
  EXPECT_THAT(all("turn"), ElementsAre(0, 1, 3, 6));
  EXPECT_THAT(all("[1, 10, 100, 1000]"), ElementsAre(1, 11, 111, 1111));
  EXPECT_THAT(all("{schedule: linear, from: 1, to: 0}"), ElementsAre(1, 1.75, 2.25, 2.5));
}

TEST(Loops, DrawNewNumbersInEachTurn) {
  const Rows all = values(
      start +
          "    end: {node: noise, loop: {times: 50, carry: {x: start}, collect: {all: drop}}}\n",
      "end.all");
  std::set<double> distinct;
  for (const auto& row : all) distinct.insert(row.begin(), row.end());
  EXPECT_EQ(distinct.size(), 8U * 50 * 3);
}

// A node that needs the whole batch makes the loop one task.
TEST(Loops, RunWholeIfANodeInThemDoes) {
  const auto trained = [](int threads) {
    std::string text = modules + R"(train:
  lanes: 4
  nodes:
    z: {node: normal, shape: [8, 3]}
    deep: {use: normed, loop: {times: 3, carry: {x: z}}}
    o: {use: net, x: deep}
    n: {use: normed, x: z}
    b: {node: add, a: o, b: n}
    loss: {node: mse, x: b, target: deep}
  phases: [{minimize: loss, update: [net, normed], optimizer: {node: sgd, lr: 0.1}}]
  steps: 4
)";
    Mistakes mistakes;
    const Pipeline pipeline = Pipeline::parse(text, "pipeline.yaml", {}, mistakes);
    const auto plan = build_plan(pipeline, standard_nodes(), Mode::train, {}, mistakes);
    mistakes.check();
    for (const PlanNode& node : plan->nodes) EXPECT_FALSE(node.loop && node.laned) << node.path;
    Weights model;
    model.add(*plan);
    Engine engine(*plan, standard_nodes(), model, {.threads = threads});
    for (int64_t step = 0; step < 4; ++step) engine.step(step, step);
    std::map<std::string, std::vector<float>> weights;
    for (const NamedTensor& t : model.tensors())
      weights[t.name].assign(t.tensor.span().begin(), t.tensor.span().end());
    return weights;
  };
  const auto one = trained(1);
  EXPECT_NE(one.at("normed.y.running_mean")[0], 0);
  EXPECT_EQ(trained(4), one);
}

TEST(Loops, TakeNoMoreMemoryForMoreTurns) {
  const auto bytes = [](int64_t times) {
    Mistakes mistakes;
    const Pipeline pipeline = Pipeline::parse(
        modules + "generate:\n  nodes:\n" + start +
            "    end: {node: net_and_noise, loop: {times: " + std::to_string(times) +
            ", carry: {x: start}}}\n    n: {use: normed, x: end}\n    out: {node: csv_file, xs: "
            "[n], names: [v], path: "
            "a.csv}\n",
        "pipeline.yaml", {}, mistakes);
    const auto plan = build_plan(pipeline, standard_nodes(), Mode::generate, {{}, 1}, mistakes);
    mistakes.check();
    return plan->bytes();
  };
  EXPECT_EQ(bytes(2), bytes(100'000));
}

TEST(Loops, StandInLoops) {
  const std::string inner =
      R"(    end: {node: outer, loop: {times: 4, carry: {x: start}, collect: {all: x}}}
)";
  EXPECT_THAT(values(from_0_to_7 + inner, "end.all")[1], ElementsAre(4, 7, 10, 13));
  const Rows draws =
      values(start +
                 "    end: {node: outer_noise, loop: {times: 6, carry: {x: start}, collect: {all: "
                 "drops}}}\n",
             "end.all");
  std::set<double> distinct;
  for (const auto& row : draws) distinct.insert(row.begin(), row.end());
  EXPECT_EQ(distinct.size(), 8U * 6 * 5 * 3);
}

// Each lane draws for itself what all samples share.
TEST(Loops, RunInLanesBesideWhatAllSamplesShare) {
  const std::string nodes = R"(    z: {node: normal, shape: [8, 3]}
    y: {node: shared_noise, loop: {times: 5, carry: {x: z}}}
    d: {formula: y - z}
)";
  const Rows whole = values(nodes, "d", {.threads = 1, .lanes = 1});
  EXPECT_EQ(values(nodes, "d", {.threads = 2, .lanes = 4}), whole);
  EXPECT_EQ(values(nodes, "d", {.threads = 2, .lanes = 3, .check = true}), whole);
  for (const auto& row : whole)
    for (size_t i = 0; i < row.size(); ++i) EXPECT_NEAR(row[i], whole[0][i], 1e-5);
}

}  // namespace
}  // namespace weft::tests

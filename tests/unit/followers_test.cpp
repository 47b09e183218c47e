// Modules that follow others: how they start, move, and what they do not do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/plan/build_plan.h"
#include "framework/run/engine.h"
#include "tests/support/lone_node.h"

namespace weft::tests {
namespace {

using testing::HasSubstr;

using Numbers = std::map<std::string, std::vector<float>>;

// A student with a neck of its own, and a teacher that follows both.
std::string pipeline(const std::string& teacher, const std::string& phase = "") {
  return R"(weft: 1
modules:
  neck:
    inputs: [x]
    nodes: {y: {node: linear, x: x, features: 4}}
    outputs: {y: y}
  student:
    inputs: [x]
    nodes:
      h: {node: linear, x: x, features: 6}
      b: {node: batch_norm, x: h, activation: relu}
      y: {use: neck, x: b}
    outputs: {y: y}
  teacher: {follows: student, )" +
         teacher + R"(}
train:
  lanes: 4
  nodes:
    x: {node: normal, shape: [16, 5]}
    s: {use: student, x: x}
    t: {use: teacher, x: x}
    loss: {node: mse, x: s, target: t}
    noise: {node: normal, shape: [16, 4]}
    other: {node: mse, x: s, target: noise}
    both: {node: add, a: loss, b: other}
  phases:
    - {minimize: both, update: [student, neck], optimizer: {node: sgd, lr: 0.1})" +
         phase + R"(}
  steps: 8
)";
}

class Trained {
 public:
  explicit Trained(const std::string& text, int threads = 2) {
    Mistakes mistakes;
    pipeline_ = Pipeline::parse(text, "pipeline.yaml", {}, mistakes);
    plan_ = build_plan(pipeline_, standard_nodes(), Mode::train, {}, mistakes);
    mistakes.check();
    model_.add(*plan_);
    engine_ = std::make_unique<Engine>(*plan_, standard_nodes(), model_,
                                       EngineOptions{.threads = threads});
  }
  Numbers step() {
    engine_->step(step_, step_);
    ++step_;
    return numbers();
  }
  Numbers numbers() const {
    Numbers all;
    for (const NamedTensor& t : model_.tensors())
      all[t.name].assign(t.tensor.span().begin(), t.tensor.span().end());
    return all;
  }

 private:
  Pipeline pipeline_;
  std::unique_ptr<const Plan> plan_;
  Weights model_;
  std::unique_ptr<Engine> engine_;
  int64_t step_ = 0;
};

const std::vector<std::pair<std::string, std::string>> pairs{
    {"student.h.weight", "teacher.h.weight"},
    {"student.b.bias", "teacher.b.bias"},
    {"neck.y.weight", "teacher_neck.y.weight"}};

TEST(Followers, StartEqualAndMoveByTheirDecay) {
  Trained trained(pipeline("decay: 0.75"));
  Numbers before = trained.numbers();
  for (const auto& [leader, own] : pairs) EXPECT_EQ(before.at(leader), before.at(own));
  for (int step = 0; step < 3; ++step) {
    const Numbers now = trained.step();
    for (const auto& [leader, own] : pairs) {
      EXPECT_NE(now.at(leader), before.at(leader));
      for (size_t i = 0; i < now.at(own).size(); ++i)
        EXPECT_FLOAT_EQ(now.at(own)[i],
                        0.75F * before.at(own)[i] + (1 - 0.75F) * now.at(leader)[i]);
    }
    before = now;
  }
}

TEST(Followers, HaveStatesOfTheirOwnWhereTheyRun) {
  std::string resting = pipeline("decay: 0.75");
  resting.replace(resting.find("t: {use: teacher, x: x}"), 23, "t: {node: normal, like: s}");
  resting +=
      "generate:\n  nodes:\n    x: {node: normal, shape: [16, 5]}\n    t: {use: teacher, x: x}\n"
      "    save: {node: npy_file, x: t, path: t.npy}\n";
  Trained runs(pipeline("decay: 0.75")), rests(resting);
  for (int step = 0; step < 3; ++step) {
    const Numbers own = runs.step(), copied = rests.step();
    for (const std::string state : {"b.running_mean", "b.running_var"}) {
      if (step > 0) {
        EXPECT_NE(own.at("teacher." + state), own.at("student." + state)) << step;
      }
      EXPECT_EQ(copied.at("teacher." + state), copied.at("student." + state)) << step;
    }
  }
}

TEST(Followers, FollowSchedules) {
  Trained trained(pipeline("decay: {schedule: linear, from: 0.5, to: 1}"));
  Numbers before = trained.numbers();
  for (int step = 0; step < 3; ++step) {
    const Numbers now = trained.step();
    const auto decay = static_cast<float>(0.5 + 0.5 * step / 8);
    EXPECT_FLOAT_EQ(now.at("teacher.h.bias")[1], decay * before.at("teacher.h.bias")[1] +
                                                     (1 - decay) * now.at("student.h.bias")[1]);
    before = now;
  }
}

TEST(Followers, MoveOnceForEachUpdate) {
  Trained trained(pipeline("decay: 0.75", ", accumulate: 2"));
  const Numbers before = trained.numbers(), first = trained.step(), second = trained.step();
  EXPECT_EQ(first.at("teacher.h.weight"), before.at("teacher.h.weight"));
  EXPECT_NE(second.at("teacher.h.weight"), before.at("teacher.h.weight"));
}

TEST(Followers, HaveTheSameBitsForAnyThreads) {
  for (const std::string phase : {"", ", clip: 0.1"}) {
    Trained one(pipeline("decay: 0.9", phase), 1), four(pipeline("decay: 0.9", phase), 4);
    for (int step = 0; step < 5; ++step) EXPECT_EQ(one.step(), four.step());
  }
}

TEST(Followers, GiveNoGradient) {
  std::string text = pipeline("decay: 0.9");
  text.replace(text.find("t: {use: teacher, x: x}"), 23, "t: {use: teacher, x: a}");
  text.replace(text.find("    s: {use"), 0, "    a: {use: before, x: x}\n");
  text.replace(
      text.find("  teacher: "), 0,
      "  before: {inputs: [x], nodes: {y: {node: linear, x: x, features: 5}}, outputs: {y: "
      "y}}\n");
  text.replace(text.find("[student, neck]"), 15, "[student, neck, before]");
  try {
    Trained trained(text);
    ADD_FAILURE() << "the gradient of `before` came through the teacher";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("updates module `before`, but no gradient"));
  }
}

// An average of weights that nothing in `train` uses.
TEST(Followers, NeedNoUseInTraining) {
  std::string text = pipeline("decay: 0.9");
  text.replace(text.find("    t: {use: teacher, x: x}\n"), 28, "");
  text.replace(text.find("target: t}"), 10, "target: noise}");
  text += R"(evaluate:
  nodes:
    x: {node: normal, shape: [16, 5]}
    t: {use: teacher, x: x}
    size: {node: mse, x: t, target: t}
  report: size
)";
  Trained trained(text);
  const Numbers before = trained.numbers(), after = trained.step();
  EXPECT_EQ(before.at("teacher.h.weight"), before.at("student.h.weight"));
  EXPECT_NE(after.at("teacher.h.weight"), before.at("teacher.h.weight"));
}

}  // namespace
}  // namespace weft::tests

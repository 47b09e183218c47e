// Nodes that fail, wherever they stand and however they do it: the step ends, the error names the
// node, nothing hangs, nothing is damaged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "framework/plan/build_plan.h"
#include "framework/plugin/loader.h"
#include "framework/run/checkpoint.h"
#include "framework/run/engine.h"
#include "tests/support/environment.h"
#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"

namespace weft::tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Position {
  std::string key, path;
};
const Position first{"first", "first"}, middle{"middle", "out.middle"}, last{"last", "loss"};
constexpr int failing_step = 3;  // of the node

// A chain of nodes; the one at the position has the fault, the others of its kind have none.
std::string chain(const Position& position, const std::string& fault, bool whole = false,
                  const std::string& activation = "tanh") {
  const auto faulty = [&](const Position& here, const std::string& x, bool weight) {
    return "{node: faulty, x: " + x + ", weight: " + (weight ? "true" : "false") +
           (here.key == position.key ? ", " + fault : "") +
           ", whole: " + (whole && here.key == position.key ? "true" : "false") + "}\n";
  };
  return "weft: 1\nname: chain\nplugins: [" FAULTY
         "]\n"
         "modules:\n"
         "  net:\n"
         "    inputs: [x]\n"
         "    nodes:\n"
         "      before: {node: linear, x: x, features: 40, activation: " +
         activation +
         "}\n"
         "      middle: " +
         faulty(middle, "before", true) +
         "      after: {node: linear, x: middle, features: 8}\n"
         "    outputs: {y: after}\n"
         "train:\n"
         "  lanes: 4\n"
         "  nodes:\n"
         "    noise: {node: normal, shape: [64, 8]}\n"
         "    first: " +
         faulty(first, "noise", false) +
         "    out: {use: net, x: first}\n"
         "    error: {node: mse, x: out, target: noise}\n"
         "    loss: " +
         faulty(last, "error", false) +
         "  phases: [{minimize: loss, update: net, optimizer: {node: adam}}]\n"
         "  steps: 8\n"
         "  save: {every_steps: 1}\n";
}

struct Failure {
  int64_t step = -1;  // -1: there was none
  Exit code = Exit::done;
  std::string what;
};

class Faults : public testing::Test {
 protected:
  // Eight steps of the pipeline in an engine of their own.
  Failure train(const std::string& text, int threads) {
    Failure failure;
    try {
      Mistakes mistakes;
      Pipeline pipeline = Pipeline::parse(text, "chain.yaml", {}, mistakes);
      const auto plan = build_plan(pipeline, registry_, Mode::train, {}, mistakes);
      mistakes.check();
      Weights model;
      model.add(*plan);
      Engine engine(*plan, registry_, model, {.threads = threads});
      for (failure.step = 0; failure.step < 8; ++failure.step)
        engine.step(failure.step, failure.step);
      EXPECT_TRUE(std::isfinite(engine.loss(0)));
      failure.step = -1;
    } catch (const Error& error) {
      failure.code = error.code();
      failure.what = error.what();
    }
    return failure;
  }

  // The fault ends the step with an error that names its node; another engine then works.
  void expect_failure(const Position& position, const std::string& at, const std::string& kind,
                      Exit code, const std::string& why, bool whole, int threads) {
    SCOPED_TRACE(position.key + " " + at + " " + kind + (whole ? " whole" : " lanes") + " " +
                 std::to_string(threads));
    const double begin = seconds_now();
    const Failure failure = train(chain(position, "at: " + at + ", kind: " + kind, whole), threads);
    EXPECT_EQ(failure.step, failing_step);
    EXPECT_EQ(failure.code, code) << failure.what;
    EXPECT_THAT(failure.what, AllOf(HasSubstr(position.path), HasSubstr("faulty"),
                                    HasSubstr("step 3"), HasSubstr(why)));
    EXPECT_EQ(train(chain(position, "at: nowhere", whole), threads).what, "");
    EXPECT_LT(seconds_now() - begin, 10.0);
  }

  const Registry registry_ = load_plugins(plugin_search({{FAULTY}}));
};

TEST_F(Faults, EndTheStepAndNameTheNode) {
  const std::vector<std::tuple<Position, std::string>> places{
      {first, "forward"},   {middle, "forward"}, {last, "forward"},
      {middle, "backward"}, {last, "backward"},  {middle, "learn"}};
  for (const auto& [position, at] : places)
    for (const bool whole : {false, true})
      for (const int threads : {1, 8}) {
        const auto expect = [&](const std::string& kind, Exit code, const std::string& why) {
          expect_failure(position, at, kind, code, why, whole, threads);
        };
        expect("error", Exit::data, "the belt is off");
        expect("exception", Exit::internal, "the belt is off");
        expect("other", Exit::internal, "not an exception");
        if (at == "forward") expect("nan", Exit::nonfinite, "not finite");
      }
}

// Before anything is updated by them.
TEST_F(Faults, GradientsThatAreNoNumbersAreFoundOut) {
  for (const std::string at : {"backward", "learn"})
    for (const int threads : {1, 8}) {
      const Failure failure = train(chain(middle, "at: " + at + ", kind: nan"), threads);
      EXPECT_EQ(failure.step, failing_step);
      EXPECT_EQ(failure.code, Exit::nonfinite);
      EXPECT_THAT(failure.what,
                  AllOf(HasSubstr("the gradient of `net."), HasSubstr("not finite. A lower `lr`")));
    }
}

TEST_F(Faults, OfDataAreNotTakenForThoseOfItsReader) {
  const auto with_data = [&](const std::string& nan) {
    const std::string noise = "  nodes:\n    noise: {node: normal, shape: [64, 8]}";
    std::string text = chain(middle, "at: forward, kind: nan");
    text.replace(text.find(noise), noise.size(),
                 "  data: {node: faulty_data, batch: 64, nan: " + nan +
                     "}\n  nodes:\n    noise: {node: scale, x: data.x, by: 1}");
    return train(text, 2);
  };
  EXPECT_THAT(with_data("50").what,
              AllOf(HasSubstr("step 0,"), HasSubstr("comes from node `data`")));
  EXPECT_THAT(with_data("-1").what, HasSubstr("comes from node `out.middle`"));
}

// A thread that waits for such work with a lane in its hands must not take another.
TEST_F(Faults, LanesMayWaitForWorkOfTheirOwn) {
  for (int step = 0; step < 8; ++step)
    for (const int threads : {1, 2, 4}) {
      std::string many =
          chain(middle, "at: forward, kind: parallel, step: " + std::to_string(step));
      many.replace(many.find("lanes: 4"), 8, "lanes: 32");
      EXPECT_EQ(train(many, threads).what, "");
    }
}

TEST_F(Faults, BeforeTheFirstStepNameTheNodeToo) {
  for (const Position& position : {first, middle, last})
    for (const std::string at : {"infer", "prepare"})
      for (const std::string kind : {"error", "exception", "other"}) {
        SCOPED_TRACE(position.key + " " + at + " " + kind);
        const Failure failure = train(chain(position, "at: " + at + ", kind: " + kind), 2);
        EXPECT_EQ(failure.step, -1);
        EXPECT_EQ(failure.code, kind == "error" ? Exit::data : Exit::plugin);
        EXPECT_THAT(failure.what, AllOf(HasSubstr(position.path), HasSubstr("(faulty)"),
                                        HasSubstr(kind == "other" ? "not an exception" : "belt")));
      }
}

class FaultyRuns : public Faults {
 protected:
  Ended weft_train(const std::vector<std::string>& more = {}, bool faultless = false) {
    std::vector<std::string> words{program("weft"), "train", "chain.yaml", "-o", "run"};
    words.insert(words.end(), more.begin(), more.end());
    Command command{words, here_.path(), {}, 30};
    if (faultless) command.environment["FAULTLESS"] = "1";
    return run(command);
  }
  TemporaryDirectory here_;
};

TEST_F(FaultyRuns, LeaveWholeCheckpointsToGoOnFrom) {
  const std::vector<std::tuple<std::string, std::string, int>> faults{
      {"forward", "error", 4}, {"forward", "exception", 1}, {"forward", "other", 1},
      {"forward", "nan", 5},   {"backward", "error", 4},    {"learn", "other", 1},
      {"backward", "nan", 5},  {"learn", "nan", 5}};
  for (const auto& [at, kind, exit] : faults)
    for (const std::string threads : {"1", "8"}) {
      SCOPED_TRACE(at + " " + kind + " " + threads);
      fs::remove_all(here_ / "run");
      write_text(here_ / "chain.yaml",  // relu makes zeros of what is not a number
                 chain(middle, "at: " + at + ", kind: " + kind, false, "relu"));
      const Ended ended = weft_train({"--threads", threads});
      EXPECT_EQ(ended.exit, exit) << ended.err;
      EXPECT_FALSE(ended.timed_out);
      EXPECT_THAT(ended.err, AllOf(HasSubstr("step "), Not(HasSubstr("unexpected"))));

      int whole = 0;
      for (const auto& entry : fs::directory_iterator(here_ / "run/checkpoints")) {
        if (entry.is_symlink()) continue;
        const Checkpoint checkpoint = Checkpoint::read(entry.path());
        for (const auto& [name, tensor] : checkpoint.model.tensors())
          for (const float x : tensor.span()) ASSERT_TRUE(std::isfinite(x)) << name;
        ++whole;
      }
      EXPECT_EQ(whole, failing_step);  // of steps 1, 2 and 3
      const Ended again = weft_train({"--resume", "auto"}, true);
      EXPECT_EQ(again.exit, 0) << again.err;
    }
}

TEST_F(FaultyRuns, OfNodesThatThrowBeforeTheFirstStepEndInASentence) {
  for (const std::string at : {"infer", "prepare"})
    for (const auto& [kind, exit] :
         {std::pair("error", 4), std::pair("exception", 3), std::pair("other", 3)}) {
      SCOPED_TRACE(at + " " + kind);
      fs::remove_all(here_ / "run");
      write_text(here_ / "chain.yaml", chain(middle, "at: " + at + ", kind: " + kind));
      const Ended ended = weft_train();
      EXPECT_EQ(ended.exit, exit) << ended.err;
      EXPECT_THAT(ended.err, HasSubstr("out.middle (faulty)"));
    }
}

TEST_F(FaultyRuns, ThatExitHaveFailed) {
  for (const std::string at : {"infer", "prepare", "forward", "learn"}) {
    SCOPED_TRACE(at);
    fs::remove_all(here_ / "run");
    write_text(here_ / "chain.yaml", chain(middle, "at: " + at + ", kind: exit"));
    const Ended ended = weft_train({"--threads", "8"});
    EXPECT_EQ(ended.exit, 3) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr("a node or a library that it uses ended the process"));
    if (at == "infer" || at == "prepare") continue;  // there is no run yet
    const auto status = nlohmann::json::parse(read_text(here_ / "run/status.json"));
    EXPECT_EQ(status.at("state"), "failed");
    EXPECT_EQ(status.at("step"), failing_step);
    EXPECT_THAT(status.at("reason"), HasSubstr("exit()"));
  }
}

TEST_F(FaultyRuns, ThatHangAreReported) {
  for (const std::string at : {"forward", "backward", "learn"}) {
    SCOPED_TRACE(at);
    fs::remove_all(here_ / "run");
    write_text(here_ / "chain.yaml",
               chain(middle, "at: " + at + ", kind: hang, seconds: 2.5", true));
    const Ended ended = weft_train({"--stall", "1"});
    EXPECT_EQ(ended.exit, 0) << ended.err;  // it went on after all
    EXPECT_THAT(ended.err,
                AllOf(HasSubstr("no step has ended for 1 s"), HasSubstr("running: out.middle")));
    EXPECT_THAT(read_text(here_ / "run/log.txt"), HasSubstr("running: out.middle"));
  }
}

}  // namespace
}  // namespace weft::tests

// Nodes that fail, wherever they stand and however they do it: the step ends, the error names the
// node, nothing hangs, nothing is damaged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "framework/plan/build_plan.h"
#include "framework/plugin/loader.h"
#include "framework/run/engine.h"
#include "tests/faults/chain.h"
#include "tests/support/program.h"

namespace weft::tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Failure {
  int64_t step = -1;  // -1: there was none
  Exit code = Exit::done;
  std::string what;
};

class Faults : public testing::Test {
 protected:
  // Eight steps of the pipeline in an engine of their own.
  Failure train(const std::string& text, int threads, bool check = false, int64_t begin = 0) {
    Failure failure;
    try {
      Mistakes mistakes;
      Pipeline pipeline = Pipeline::parse(text, "chain.yaml", {}, mistakes);
      const auto plan = build_plan(pipeline, registry_, Mode::train, {}, mistakes);
      mistakes.check();
      Weights model;
      model.add(*plan);
      Engine engine(*plan, registry_, model, {.threads = threads, .check = check});
      for (failure.step = begin; failure.step < 8; ++failure.step)
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
        expect("exception", Exit::plugin, "the belt is off");
        expect("other", Exit::plugin, "not an exception");
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

TEST_F(Faults, OfAnOptimizerAreNotTakenForThoseOfALayer) {
  for (const std::string clip : {"", ", clip: 1"}) {
    std::string text = chain(middle, "at: nowhere");
    const std::string adam = "optimizer: {node: adam}";
    text.replace(text.find(adam), adam.size(), "optimizer: {node: faulty_optimizer}" + clip);
    const Failure failure = train(text, 2);
    EXPECT_EQ(failure.code, Exit::plugin);
    EXPECT_EQ(failure.step, 1);
    EXPECT_THAT(failure.what,
                AllOf(HasSubstr("faulty_optimizer, the optimizer of `net."),
                      HasSubstr("step 1: the slope is too steep"), Not(HasSubstr("middle"))));
  }
}

TEST_F(Faults, OfASourceNameIt) {
  const auto with_data = [&](const std::string& params) {
    std::string text = chain(middle, "at: nowhere");
    text.replace(text.find("  nodes:\n    noise"), 9,
                 "  data: {node: faulty_data, batch: 64, " + params + "}\n  nodes:\n");
    const std::string noise = "{node: normal, shape: [64, 8]}";
    text.replace(text.find(noise), noise.size(), "{node: scale, x: data.x, by: 1}");
    return train(text, 2);
  };
  for (const auto& [params, step] :
       {std::pair{"count: 256, bad: 40", 0}, {"count: 256, bad: 150", 1}}) {
    const Failure failure = with_data(params);
    EXPECT_EQ(failure.code, Exit::plugin) << failure.what;
    EXPECT_EQ(failure.step, step);
    EXPECT_THAT(failure.what, AllOf(HasSubstr("data (faulty_data), "),
                                    HasSubstr("the page is torn"), HasSubstr("x -> [64, 8]")));
  }
  const Failure negative = with_data("count: -3");
  EXPECT_EQ(negative.code, Exit::plugin);
  EXPECT_THAT(negative.what, HasSubstr("data (faulty_data): open() returned -3 samples"));
}

TEST_F(Faults, WithoutBackwardOrLearnAreRefusedByThePlan) {
  const auto told = [&](const std::string& where, const std::string& params) {
    std::string text = chain(middle, "at: nowhere");
    const size_t at = text.find("{node: faulty", text.find(where));
    text.replace(at, text.find('}', at) + 1 - at, "{node: deaf, x: " + params + "}");
    const Failure failure = train(text, 1);
    EXPECT_EQ(failure.step, -1);
    return failure.code == Exit::plugin ? failure.what : "another: " + failure.what;
  };
  EXPECT_THAT(told("middle:", "before"),
              HasSubstr("out.middle (deaf): has no backward(), which phase `phase1` needs"));
  EXPECT_THAT(told("middle:", "before, weight: true"), HasSubstr("has no backward()"));
}

// A node in lanes that observes: once a step, on the whole batch or before everything, in the same
// order for any number of threads; its states are saved, and start from an Init.
TEST_F(Faults, ObserversSeeEachStepOnce) {
  for (const auto& [batch, twice] : {std::pair<std::string, bool>{"true", false},
                                     {"true", true},
                                     {"false", false},
                                     {"false", true}}) {
    std::map<std::string, std::vector<float>> first;
    for (const auto& [threads, check] :
         {std::pair{1, false}, {2, false}, {8, false}, {1, true}, {2, true}, {8, true}}) {
      std::string text = chain(tests::first, "at: nowhere", true);
      const size_t at = text.find("{node: faulty", text.find("middle:"));
      text.replace(at, text.find('}', at) + 1 - at,
                   "{node: observer, x: before, batch: " + batch + "}");
      if (twice)
        text.replace(
            text.find("    error: "), 11,
            "    again: {use: net, x: out}\n    sum: {node: add, a: out, b: again}\n    error: "),
            text.replace(text.find("mse, x: out"), 11, "mse, x: sum");
      Mistakes mistakes;
      const Pipeline pipeline = Pipeline::parse(text, "chain.yaml", {}, mistakes);
      const auto plan = build_plan(pipeline, registry_, Mode::train, {}, mistakes);
      mistakes.check();
      Weights model;
      model.add(*plan);
      Engine engine(*plan, registry_, model, {.threads = threads, .check = check});
      for (int64_t step = 0; step < 5; ++step) engine.step(step, step);
      std::map<std::string, std::vector<float>> now;
      for (const NamedTensor& tensor : model.tensors())
        now[tensor.name] = {tensor.tensor.span().begin(), tensor.tensor.span().end()};
      EXPECT_EQ(now.at("net.middle.count")[1], 5 * (twice && batch == "true" ? 2 : 1));
      EXPECT_NE(now.at("net.middle.count")[0], 0);
      EXPECT_NE(now.at("net.middle.start")[0], now.at("net.middle.start")[1]);
      if (first.empty()) first = now;
      EXPECT_EQ(now, first) << threads;
    }
  }
}

// Each of these trains on without the check, and is named by it.
TEST_F(Faults, OfCarelessNodesAreFoundByTheCheck) {
  const std::vector<std::pair<std::string, std::string>> slips{
      {"skip_output", "forward: leaves 1 of 128 numbers of `y` unwritten"},
      {"add_to_output", "forward: leaves 128 of 128 numbers of `y` unwritten, or adds to what"},
      {"skip_gradient", "backward: leaves 128 of 128 numbers of `x.grad()` unwritten"},
      {"skip_weight_gradient", "learn: leaves 1 of 1 numbers of `scale.grad()` unwritten"},
      {"write_beyond", "forward: writes beyond the end of `y`"},
      {"write_before", "forward: writes before the beginning of `y`"},
      {"gradient_beyond", "backward: writes beyond the end of `x.grad()`"},
      {"one_too_many", "forward: writes beyond the end of `y`"},
      {"change_input", "forward: changes `x`, which it may only read"},
      {"change_weight", "forward: changes `scale`, which it may only read"},
      {"change_state", "forward: changes `seen`, which it may only read"},
      {"none", ""}};
  for (const auto& [slip, sentence] : slips)
    for (const int threads : {1, 4}) {
      SCOPED_TRACE(slip);
      std::string text = chain(middle, "at: nowhere");
      const size_t at = text.find("{node: faulty", text.find("middle:"));
      text.replace(at, text.find('}', at) + 1 - at,
                   "{node: careless, x: before, slip: " + slip + "}");
      text.replace(text.find("features: 40"), 12, "features: 8");
      const Failure failure = train(text, threads, true);
      EXPECT_THAT(failure.what, HasSubstr(sentence));
      EXPECT_EQ(failure.code, slip == "none" ? Exit::done : Exit::plugin) << failure.what;
      if (slip == "none") continue;
      EXPECT_THAT(failure.what, HasSubstr("out.middle (careless), step 0"));
    }
  std::string text = chain(middle, "at: nowhere");
  const std::string adam = "optimizer: {node: adam}";
  text.replace(text.find(adam), adam.size(), "optimizer: {node: careless_optimizer}");
  EXPECT_THAT(train(text, 1, true).what,
              AllOf(HasSubstr("careless_optimizer, the optimizer of `net."),
                    HasSubstr("writes beyond the end of `sum`")));
}

// What lies behind the last sample is nobody's to write, and no number that is not finite.
TEST_F(Faults, AShortBatchPassesTheCheck) {
  for (const bool check : {false, true}) {
    std::string text = chain(middle, "at: nowhere");
    text.replace(text.find("  nodes:\n    noise"), 9,
                 "  data: {node: faulty_data, batch: 64, count: 100}\n  nodes:\n");
    const std::string noise = "{node: normal, shape: [64, 8]}";
    text.replace(text.find(noise), noise.size(), "{node: scale, x: data.x, by: 2}");
    EXPECT_EQ(train(text, 2, check).what, "");
    EXPECT_EQ(train(text, 2, check, 1).what, "");  // after a resume the short batch is the first
  }
}

TEST_F(Faults, AnOptimizerThatAsksForWholeWeightsGetsThem) {
  for (const std::string whole : {"true", "false"}) {
    std::string text = chain(middle, "at: nowhere");
    const std::string adam = "optimizer: {node: adam}";
    text.replace(text.find(adam), adam.size(),
                 "optimizer: {node: whole_optimizer, whole: " + whole + "}");
    text.replace(text.find("features: 40"), 12, "features: 6000");
    EXPECT_THAT(train(text, 2).what, HasSubstr(whole == "true" ? "" : "a part of it is [3000, 8]"));
    if (whole != "true") continue;
    EXPECT_EQ(train(text, 2, true).what, "");
  }
}

TEST_F(Faults, AnAxisThatIsNoBatchIsBlamedOnItsNode) {
  std::string text = chain(middle, "at: nowhere");
  const size_t at = text.find("{node: faulty", text.find("middle:"));
  text.replace(at, text.find('}', at) + 1 - at, "{node: turned, x: before}");
  EXPECT_THAT(
      train(text, 1).what,
      HasSubstr("out.middle (turned): `y` is [40, 64], but axis 0 is the batch, of 64 rows"));
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

}  // namespace
}  // namespace weft::tests

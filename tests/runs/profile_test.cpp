// What `weft bench` and `weft profile` tell of steps.
#include <set>

#include "tests/support/tiny_runs.h"

namespace weft::tests {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Gt;
using testing::HasSubstr;
using testing::Lt;

class Timed : public TinyRuns {
 protected:
  Timed() { write("it", tiny_gan()); }
  json told(Words words) const {
    words.push_back("--json");
    const Ended ended = weft(words);
    EXPECT_EQ(ended.exit, 0) << ended.err;
    return json::parse(ended.out);
  }
};

double sum(const json& rows) {
  double all = 0;
  for (const json& row : rows) all += row.at("ms").get<double>();
  return all;
}

TEST_F(Timed, TheSameTimeIsToldByPhaseKindAndNode) {
  const json it = told({"profile", "it.yaml", "--threads", "1", "--steps", "30"});
  EXPECT_EQ(it.at("section"), "train");
  EXPECT_EQ(it.at("phases").size(), 2);
  const double all = sum(it.at("nodes"));
  EXPECT_NEAR(sum(it.at("phases")), all, 1e-6 * all);
  EXPECT_NEAR(sum(it.at("kinds")), all, 1e-6 * all);
  std::set<std::string> kinds;
  for (const json& row : it.at("kinds")) kinds.insert(row.at("name"));
  EXPECT_THAT(kinds, testing::IsSupersetOf({"linear", "bce_with_logits", "normal", "idx"}));
  for (const json& row : it.at("kinds")) {
    if (row.at("name") != "linear") continue;
    for (const char* work : {"forward", "backward", "learn", "update", "gflops", "gbytes"})
      EXPECT_GT(row.at(work), 0) << work;
  }
  ASSERT_EQ(it.at("busy").size(), 1);
  EXPECT_THAT(it.at("busy")[0].get<double>(), AllOf(Gt(0.05), Lt(1.0)));
}

// The tiny GAN has 3 lanes: more threads than that find nothing more to do.
TEST_F(Timed, OneThreadTellsWhatMoreWouldDo) {
  const json it = told({"profile", "it.yaml", "--threads", "1", "--steps", "30"});
  std::map<int, double> ms;
  for (const json& row : it.at("scale")) ms[row.at("threads")] = row.at("step_ms");
  ASSERT_EQ(ms.size(), 7);
  EXPECT_THAT(ms[2], AllOf(Gt(0.5 * ms[1]), Lt(ms[1])));
  EXPECT_THAT(ms[4], AllOf(Gt(0.25 * ms[1]), Lt(ms[2])));
  EXPECT_GT(ms[64], 0.9 * ms[32]);
}

TEST_F(Timed, ATraceHasATrackForEachThread) {
  ASSERT_EQ(
      weft({"profile", "it.yaml", "--threads", "2", "--steps", "4", "--trace", "it.json"}).exit, 0);
  const json events = json::parse(text("it.json")).at("traceEvents");
  std::map<int, double> free;  // from when on, by track
  std::set<std::string> names;
  for (const json& event : events) {
    if (event.at("ph") != "X") continue;
    const int track = event.at("tid");
    EXPECT_GE(event.at("ts").get<double>() + 1e-3, free[track]);  // one call at a time
    free[track] = event.at("ts").get<double>() + event.at("dur").get<double>();
    names.insert(event.at("name"));
  }
  EXPECT_THAT(free.size(), AllOf(testing::Ge(1), testing::Le(2)));
  EXPECT_THAT(names, testing::IsSupersetOf({"d_loss forward", "data read", "g_loss check"}));
}

// A turn of a loop does as much as the same node outside.
TEST_F(Timed, WorkInLoopsIsThatOfAllTurns) {
  write("looped", R"(weft: 1
fragments: {turn: {inputs: [x], nodes: {y: {node: matmul, a: x, b: x}}, outputs: {x: y}}}
generate:
  nodes:
    x:    {node: uniform, shape: [4, 8, 8]}
    once: {node: matmul, a: x, b: x}
    many: {node: turn, loop: {times: 7, carry: {x: x}}}
  report: [once, many]
)");
  std::map<std::string, double> work;
  for (const json& row :
       told({"profile", "looped.yaml", "--section", "generate", "--threads", "1"}).at("nodes"))
    work[row.at("name")] = row.at("gflops").get<double>() * row.at("ms").get<double>();
  EXPECT_NEAR(work["many.y"], 7 * work["once"], 1e-3 * work["many.y"]);
}

TEST_F(Timed, OtherSectionsWriteNothingHere) {
  const json it = told({"profile", "it.yaml", "--section", "generate", "--steps", "3"});
  EXPECT_EQ(it.at("section"), "generate");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "runs"));
  EXPECT_EQ(weft({"profile", "it.yaml", "--section", "dream"}).exit, 2);
}

TEST_F(Timed, StepsAreTimedOnEachNumberOfThreads) {
  const json it = told({"bench", "it.yaml", "--threads", "1", "--threads", "3", "--steps", "30"});
  ASSERT_EQ(it.at("timings").size(), 2);
  EXPECT_EQ(it.at("timings")[1].at("threads"), 3);
  for (const json& timing : it.at("timings")) {
    EXPECT_EQ(timing.at("steps"), 30);
    EXPECT_LE(timing.at("p10_ms"), timing.at("median_ms"));
    EXPECT_THAT(timing.at("floor_share").get<double>(), AllOf(Gt(0), Lt(1)));
  }
  EXPECT_THAT(weft({"bench", "it.yaml", "--steps", "5"}).out, HasSubstr("samples/s"));
}

}  // namespace
}  // namespace weft::tests

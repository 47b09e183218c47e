// kill -9 of a random process of those that share a training, at a random time, and on with another
// number of them: not a bit may differ in the end. `./dev kills` runs it.
#include <csignal>

#include "tests/support/rank_runs.h"

namespace weft::tests {
namespace {

using RankKills = RankRuns;

TEST_F(RankKills, OfRandomProcesses) {
  std::string pipeline = replaced(tiny_siamese(), "steps: 60", "steps: 6000");
  pipeline = replaced(pipeline, "lanes: 5", "lanes: 8\n  shards: 8");
  write("it", replaced(pipeline, "every_steps: 7", "every_steps: 25"));
  ASSERT_EQ(TinyRuns::train("it", "whole").exit, 0);
  int kills = 0;
  for (int i = 0; kills < 20 && i < 60; ++i) {
    const int count = 2 + i % 4;
    Process process(training(count, "it", "run", {"--resume", "auto"}));
    const pid_t one =
        this->process(process, "run", static_cast<int>(random_seconds(count - 0.001)));
    sleep_for(random_seconds(1.5));
    const bool killed = one > 0 && process.running() && ::kill(one, SIGKILL) == 0;
    const double begin = seconds_now();
    const Ended ended = process.wait();
    if (!killed || ended.exit == 0) break;  // a fast machine is done before
    EXPECT_LT(seconds_now() - begin, 10);
    EXPECT_NE(ended.exit, 0);
    ++kills;
  }
  EXPECT_GE(kills, 10);
  const Ended ended = train(3, "it", "run", {"--resume", "auto"});
  ASSERT_EQ(ended.exit, 0) << ended.err;
  expect_equal_runs("whole", "run");
}

}  // namespace
}  // namespace weft::tests

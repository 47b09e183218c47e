// A run that was stopped and resumed equals one that was not, byte for byte.
#include "tests/support/tiny_runs.h"

namespace weft::tests {
namespace {

using testing::HasSubstr;

class Resume : public TinyRuns, public testing::WithParamInterface<Tiny> {
 protected:
  Resume() {
    write("it", GetParam().pipeline());
    EXPECT_EQ(train("it", "whole").exit, 0);
  }
};

// Middles of epochs, of accumulations, of lines of metrics; ends of epochs; a step before the end.
TEST_P(Resume, FromAnywhereGivesTheSameBits) {
  for (const char* step : {"1", "7", "10", "23", "40", "59"}) {
    const std::string run = std::string("until") + step;
    const Ended stopped = train("it", run, {"--steps", step});
    ASSERT_EQ(stopped.exit, 75) << stopped.err;
    EXPECT_THAT(stopped.err, HasSubstr(std::string("stopped at step ") + step + " of 60"));
    EXPECT_EQ(status(run).at("state"), "stopped");
    const Ended resumed = train("it", run, {"--resume", "auto"});
    ASSERT_EQ(resumed.exit, 0) << resumed.err;
    EXPECT_THAT(resumed.err, HasSubstr(std::string("resuming ") + run + " at step " + step));
    expect_equal_runs("whole", run);
    EXPECT_EQ(status(run).at("state"), "done");
  }
}

TEST_P(Resume, ManyTimesWithOtherThreadsGivesTheSameBits) {
  const char* const threads[] = {"8", "1", "4", "2"};
  for (int step = 11, i = 0; step < 60; step += 11, ++i) {
    const Ended ended =
        train("it", "parts",
              {"--resume", "auto", "--steps", std::to_string(step), "--threads", threads[i % 4]});
    ASSERT_EQ(ended.exit, 75) << ended.err;
  }
  ASSERT_EQ(train("it", "parts", {"--resume", "last", "--threads", "3"}).exit, 0);
  expect_equal_runs("whole", "parts");
}

TEST_P(Resume, FromAnOlderStepGivesTheSameBits) {
  ASSERT_EQ(train("it", "back", {"--steps", "30"}).exit, 75);
  const Ended ended = train("it", "back", {"--resume", "28"});
  ASSERT_EQ(ended.exit, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("resuming back at step 28"));
  expect_equal_runs("whole", "back");
}

INSTANTIATE_TEST_SUITE_P(Runs, Resume, testing::ValuesIn(tiny_pipelines),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace weft::tests

// The same bits, whatever the threads and whatever else the machine does.
#include "tests/support/tiny_runs.h"

namespace weft::tests {
namespace {

class Determinism : public TinyRuns, public testing::WithParamInterface<Tiny> {
 protected:
  Determinism() { write("it", GetParam().pipeline()); }
};

TEST_P(Determinism, HoldsForAnyNumberOfThreads) {
  for (const char* threads : {"1", "2", "4", "8"}) {
    const std::string run = std::string("threads") + threads;
    const Ended ended = train("it", run, {"--threads", threads});
    ASSERT_EQ(ended.exit, 0) << ended.err;
    expect_equal_runs("threads1", run);
  }
  EXPECT_EQ(last("threads1").filename(), "step-000000000060");
  EXPECT_EQ(metrics("threads1")[0].at("step"), 5);  // an evaluation
}

TEST_P(Determinism, HoldsBesideBusyNeighbours) {
  ASSERT_EQ(train("it", "alone").exit, 0);
  const Command busy{{"/bin/sh", "-c", "while :; do :; done"}};
  const Process first(busy), second(busy), third(busy);
  ASSERT_EQ(train("it", "beside").exit, 0);
  expect_equal_runs("alone", "beside");
}

TEST_P(Determinism, AnotherSeedGivesOtherBits) {
  ASSERT_EQ(train("it", "zero").exit, 0);
  ASSERT_EQ(train("it", "one", {"--set", "seed=1"}).exit, 0);
  EXPECT_FALSE(read_text(last("zero") / "model.safetensors") ==
               read_text(last("one") / "model.safetensors"));
}

INSTANTIATE_TEST_SUITE_P(Runs, Determinism, testing::ValuesIn(tiny_pipelines),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace weft::tests

// kill -9 at random moments, again and again: not a bit may differ in the end. `./dev kills` runs
// it.
#include <csignal>

#include "tests/support/kills.h"

namespace weft::tests {
namespace {

TEST_F(Kills, OfTheVae) {
  survives(tiny_vae(), 20);
}

// The real one, on Fashion-MNIST: kills at any moment, not only beside the saves.
TEST_F(Kills, OfTheWholeVae) {
  const std::string pipeline = std::string(SOURCE_DIR) + "/pipelines/vae.yaml";
  const Words words{"train", pipeline, "--resume", "auto", "-o"};
  const auto train_to = [&](const std::string& run) {
    Words all = words;
    all.push_back(run);
    Command training = command(all);
    training.environment.clear();  // the real data
    return training;
  };
  const Ended whole = tests::run(train_to("whole"));
  if (whole.exit == 4) GTEST_SKIP() << whole.err;
  ASSERT_EQ(whole.exit, 0) << whole.err;
  int kills = 0;
  for (bool done = false; !done && kills < 20; kills += done ? 0 : 1) {
    Process process(train_to("run"));
    sleep_for(0.3 + random_seconds(2));
    if (process.running()) process.signal(SIGKILL);
    const Ended stopped = process.wait();
    done = stopped.signal == 0;  // a fast machine ends between the kills
    ASSERT_TRUE(!done || stopped.exit == 0) << stopped.err;
  }
  EXPECT_GE(kills, 5);
  const Ended ended = tests::run(train_to("run"));
  ASSERT_EQ(ended.exit, 0) << ended.err;
  expect_equal_runs("whole", "run");
}

TEST_F(Kills, OfTheGan) {
  survives(tiny_gan(), 20);
}

TEST_F(Kills, WithAccumulatedGradients) {
  survives(tiny_gan_sums(), 20);
}

TEST_F(Kills, OfConvolutionsThatLearnInLanes) {
  survives(tiny_siamese(), 20);
}

TEST_F(Kills, AKilledSequenceEndsWithTheSameBits) {
  survives(tiny_sequence(), 20);
}

TEST_F(Kills, WithAModuleThatFollows) {
  survives(tiny_teacher(), 20);
}

TEST_F(Kills, WithRunningStatistics) {
  survives(tiny_classifier(), 20);
}

}  // namespace
}  // namespace weft::tests

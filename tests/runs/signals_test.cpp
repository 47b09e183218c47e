// A run that is asked to stop saves, ends with 75, and goes on to the same bits.
#include <csignal>

#include "tests/support/tiny_runs.h"

namespace weft::tests {
namespace {

using testing::HasSubstr;

class SignalTo : public TinyRuns {
 protected:
  SignalTo() { write("vae", replaced(tiny_vae(), "every_steps: 7", "every_steps: 70")); }
  const Words length_{"--set", "train.steps=600"};
};

TEST_F(SignalTo, StopGivesACheckpointAndTheSameBits) {
  ASSERT_EQ(train("vae", "whole", length_).exit, 0);
  for (const int number : {SIGTERM, SIGINT, SIGUSR1, SIGHUP}) {
    const std::string name = "signal" + std::to_string(number);
    Process process(training("vae", name, length_));
    await_training(process, name);
    sleep_for(random_seconds(0.06));
    process.signal(number);
    const double asked = seconds_now();
    const Ended stopped = process.wait();
    ASSERT_EQ(stopped.exit, 75) << name << ": " << stopped.err;
    EXPECT_LT(seconds_now() - asked, 5);
    EXPECT_EQ(status(name).at("state"), "stopped");
    EXPECT_EQ(status(name).at("step"), step_of(last(name)));
    EXPECT_THAT(stopped.err, HasSubstr("--resume auto goes on"));
    Words resume = length_;
    resume.insert(resume.end(), {"--resume", "auto"});
    ASSERT_EQ(train("vae", name, resume).exit, 0);
    expect_equal_runs("whole", name);
  }
}

TEST_F(SignalTo, SaveGoesOn) {
  Process process(training(
      "vae", "run", {"--set", "train.steps=1000000", "--set", "train.save.every_steps=1000000"}));
  await_training(process, "run");
  ASSERT_EQ(step_of(last("run")), -1);
  process.signal(SIGUSR2);
  while (process.running() && step_of(last("run")) < 0) sleep_for(0.001);
  const int64_t first = step_of(last("run"));
  process.signal(SIGUSR2);
  while (process.running() && step_of(last("run")) == first) sleep_for(0.001);
  EXPECT_GT(step_of(last("run")), first);
  ASSERT_TRUE(process.running());
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait().exit, 75);
}

// Kernels made at run time may keep data where a stack should be: no handler may run on it.
TEST_F(SignalTo, SaveManyTimesHarmsNothing) {
  write("wide", R"(weft: 1
modules:
  net:
    inputs: [x]
    nodes:
      h: {node: linear, x: x, features: 400, activation: relu}
      y: {node: linear, x: h, features: 784}
    outputs: {y: y}
train:
  nodes:
    noise: {node: normal, shape: [128, 784]}
    again: {use: net, x: noise}
    loss: {node: mse, x: again, target: noise}
  phases:
    - {minimize: loss, update: net, optimizer: {node: sgd, lr: 0.1}}
  steps: 400
  save: {every_steps: 100}
)");
  ASSERT_EQ(train("wide", "whole").exit, 0);
  Process process(training("wide", "signalled"));
  await_training(process, "signalled");
  for (int i = 0; i < 25 && process.running(); ++i) {
    process.signal(SIGUSR2);
    sleep_for(0.02);
  }
  ASSERT_EQ(process.wait().exit, 0);
  expect_equal_runs("whole", "signalled");
}

// The second comes while it finishes the step or saves, or just after that.
TEST_F(SignalTo, InterruptTwiceEndsAtOnce) {
  const Words endless{"--set", "train.steps=1000000"};
  Process process(training("vae", "run", endless));
  await_training(process, "run");
  process.signal(SIGTERM);
  process.signal(SIGINT);
  const Ended ended = process.wait();
  EXPECT_TRUE(ended.exit == 130 || ended.exit == 75) << ended.exit << ended.err;
  Words resume = endless;
  resume.insert(resume.end(), {"--resume", "auto", "--hours", "0.0001"});
  EXPECT_EQ(train("vae", "run", resume).exit, 75);
}

}  // namespace
}  // namespace weft::tests

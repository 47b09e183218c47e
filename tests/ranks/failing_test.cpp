// What becomes of the others when one of the processes of a training fails.
#include <csignal>

#include "tests/support/rank_runs.h"

namespace weft::tests {
namespace {

using testing::AnyOf;
using testing::ContainsRegex;
using testing::HasSubstr;

const Words shards{"--set", "train.shards=6", "--set", "train.lanes=6"};

std::string longer(const std::string& pipeline, int64_t steps) {
  return replaced(pipeline, "steps: 60", "steps: " + std::to_string(steps));
}

class Failing : public RankRuns {
 protected:
  // How often the sentence was said.
  static size_t times(const std::string& text, const std::string& sentence) {
    size_t count = 0;
    for (size_t at = text.find(sentence); at != std::string::npos; at = text.find(sentence, at + 1))
      ++count;
    return count;
  }
};

TEST_F(Failing, KilledProcessesEndTheOthers) {
  write("it", longer(tiny_vae(), 6000));
  write("short", tiny_vae());
  Process process(training(3, "it", "it", shards));
  const pid_t second = this->process(process, "it", 1);
  ASSERT_GT(second, 0);
  sleep_for(0.3);
  const double begin = seconds_now();
  ASSERT_EQ(::kill(second, SIGKILL), 0);
  const Ended ended = process.wait();
  EXPECT_LT(seconds_now() - begin, 10);
  EXPECT_NE(ended.exit, 0);
  EXPECT_THAT(ended.err, HasSubstr("rank 1"));  // of mpirun
  EXPECT_THAT(text("it/log.txt"), ContainsRegex("rank 1 on .* has ended without a word"));
  EXPECT_EQ(status("it").value("state", ""), "failed");
}

TEST_F(Failing, LossesThatAreNoNumbersEndAll) {
  write("it", replaced(tiny_vae(), "from: 3e-3", "from: 1e30"));
  const Ended ended = train(3, "it", "it", shards);
  EXPECT_EQ(ended.exit, 5) << ended.err;
  EXPECT_EQ(times(ended.err, "is not a number") + times(ended.err, "is infinite") +
                times(ended.err, "is not finite"),
            1U)
      << ended.err;
  EXPECT_EQ(status("it").value("state", ""), "failed");
}

TEST_F(Failing, SignalsStopAllAtOneStep) {
  write("it", longer(tiny_vae(), 100000));
  Process process(training(2, "it", "it", shards));
  const pid_t second = this->process(process, "it", 1);
  ASSERT_GT(second, 0);
  sleep_for(0.2);
  ASSERT_EQ(::kill(second, SIGUSR1), 0);  // one of them
  const Ended ended = process.wait();
  EXPECT_EQ(ended.exit, 75) << ended.err;
  EXPECT_EQ(status("it").value("state", ""), "stopped");
  EXPECT_EQ(step_of(last("it")), status("it").at("step"));
}

TEST_F(Failing, StoppedProcessesAreNamed) {
  write("it", longer(tiny_vae(), 3000));
  Process process(training(2, "it", "it", with(shards, {"--stall", "1"})));
  const pid_t second = this->process(process, "it", 1);
  ASSERT_GT(second, 0);
  sleep_for(0.2);
  ASSERT_EQ(::kill(second, SIGSTOP), 0);
  sleep_for(4);
  ASSERT_EQ(::kill(second, SIGCONT), 0);
  const Ended ended = process.wait();
  EXPECT_EQ(ended.exit, 0) << ended.err;  // it goes on
  EXPECT_THAT(text("it/log.txt"),
              ContainsRegex("no step has ended for . s.*rank 1 on .*, silent for"));
}

TEST_F(Failing, MistakesAreToldOnce) {
  write("it", replaced(tiny_vae(), "activation: relu", "activation: rely"));
  const Ended ended = train(3, "it", "it", shards);
  EXPECT_EQ(ended.exit, 2);
  EXPECT_EQ(times(ended.err, "did you mean `relu`"), 1U) << ended.err;
}

// Each in a sentence, before the first step.
TEST_F(Failing, ProcessesMustBeAlike) {
  write("it", tiny_vae());
  write("other", replaced(tiny_vae(), "features: 32", "features: 30"));
  const auto weft = program("weft").string();
  const auto words = [&](const std::string& name) {
    return with({weft, "train", name + ".yaml", "-o", "it", "--threads", "1"}, shards);
  };
  const Ended pipelines = run(unlike(words("it"), words("other")));
  EXPECT_EQ(pipelines.exit, 2);
  EXPECT_THAT(pipelines.err, ContainsRegex("rank 1 on .*: its pipeline is not that of rank 0 on "
                                           ".* they differ in: modules.encoder.nodes.h.features"));
  std::filesystem::create_directory(folder_ / "elsewhere");
  write_text(folder_ / "elsewhere/it.yaml", tiny_vae());
  std::filesystem::copy(folder_ / "data", folder_ / "elsewhere/data");
  damage(folder_ / "elsewhere/data/train-images-idx3-ubyte");
  const Ended data =
      run(unlike(words("it"), with({"/usr/bin/env", "-C", "elsewhere"}, words("it"))));
  EXPECT_EQ(data.exit, 2);
  EXPECT_THAT(data.err, ContainsRegex("rank 1 on .* differs from rank 0 on .* data of `data`"));
  const Ended missing = run(unlike(words("it"), with({"/usr/bin/env", "-C", "data"}, words("it"))));
  EXPECT_NE(missing.exit, 0);
  EXPECT_THAT(missing.err, ContainsRegex("rank 1 on .*: .*it.yaml"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "it/checkpoints"));
}

}  // namespace
}  // namespace weft::tests

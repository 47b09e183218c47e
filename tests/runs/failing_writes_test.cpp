// A disk that fails for a while, or for good, under the files beside the checkpoints: no line is
// lost without a word, and no step.
#include <cerrno>

#include "framework/node/error.h"
#include "tests/support/tiny_runs.h"

namespace weft::tests {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class FailingWrites : public TinyRuns {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer wants to be loaded first";
#endif
    write("vae", tiny_vae());
    ASSERT_EQ(train("vae", "whole").exit, 0);
  }

  static std::map<std::string, std::string> failing(const std::string& file, int error,
                                                    int64_t writes) {
    return {{"LD_PRELOAD", FAILING_WRITE},
            {"FAILING_FILE", file},
            {"FAILING_ERROR", std::to_string(error)},
            {"FAILING_WRITES", std::to_string(writes)}};
  }
  Ended train_failing(const std::string& file, int error, int64_t writes,
                      const Words& more = {}) const {
    std::filesystem::remove_all(folder_ / "run");
    Command words = training("vae", "run", more);
    words.environment = failing(file, error, writes);
    return tests::run(words);
  }
};

TEST_F(FailingWrites, LinesThatCouldNotBeWrittenAreWrittenLater) {
  for (const int error : {ENOSPC, EIO}) {
    const Ended ended = train_failing("/metrics.jsonl", error, 2);
    EXPECT_EQ(ended.exit, 0) << ended.err;
    EXPECT_THAT(ended.err, AllOf(HasSubstr("metrics.jsonl cannot be written: "),
                                 HasSubstr("; training goes on")));
    expect_equal_runs("whole", "run");
  }
}

TEST_F(FailingWrites, ThatAreInterruptedAreTriedAgain) {
  for (const std::string file : {"/metrics.jsonl", "status.json", "model.safetensors"}) {
    const Ended ended = train_failing(file, EINTR, 3);
    EXPECT_EQ(ended.exit, 0) << ended.err;
    EXPECT_THAT(ended.err, Not(HasSubstr("written")));
    expect_equal_runs("whole", "run");
    EXPECT_EQ(status("run").at("state"), "done");
  }
}

TEST_F(FailingWrites, OfTheLastLineAreTriedAgainWhenItStops) {
  const Ended ended = train_failing("/metrics.jsonl", EIO, 1, {"--steps", "5"});
  EXPECT_EQ(ended.exit, 75) << ended.err;
  ASSERT_EQ(metrics("run").size(), 1U);
  EXPECT_EQ(metrics("run")[0].at("step"), 5);
}

// The best evaluation comes while nothing can be saved: what was best before it stays.
TEST_F(FailingWrites, OfTheBestLeaveTheBestBeforeIt) {
  write("vae", replaced(tiny_vae(), "from: 3e-3, to: 0", "from: 1e-3, to: 1"));
  ASSERT_EQ(train("vae", "clean").exit, 0);
  const auto best = std::filesystem::read_symlink(folder_ / "clean/checkpoints/best").string();
  ASSERT_LT(step_of(best), 60);
  const Ended ended =
      train_failing("/.tmp-" + std::to_string(step_of(best)) + "-", ENOSPC, 1'000'000);
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("is not saved"));
  const auto kept = std::filesystem::read_symlink(folder_ / "run/checkpoints/best").string();
  EXPECT_NE(kept, best);
  ASSERT_TRUE(std::filesystem::exists(folder_ / "run/checkpoints" / kept));
  EXPECT_EQ(train("vae", "run", {"--resume", "auto"}).exit, 0);
  EXPECT_EQ(std::filesystem::read_symlink(folder_ / "run/checkpoints/best"), kept);
}

TEST_F(FailingWrites, LeaveNoHalfPipeline) {
  Command words = command({"new", "vae"});
  words.environment = failing("vae.yaml", ENOSPC, 1);
  std::filesystem::remove(folder_ / "vae.yaml");
  EXPECT_EQ(tests::run(words).exit, static_cast<int>(Exit::resources));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "vae.yaml"));
  EXPECT_EQ(weft({"new", "vae"}).exit, 0);
}

TEST_F(FailingWrites, OfTheEndAreNoSuccess) {
  for (const std::string file : {"/metrics.jsonl", "status.json"}) {
    const Ended ended = train_failing(file, EIO, 1'000'000);
    EXPECT_EQ(ended.exit, static_cast<int>(Exit::resources)) << ended.err;
    EXPECT_THAT(ended.err,
                AllOf(HasSubstr("the training is done and its last checkpoint is saved, but "),
                      HasSubstr("run lacks its end")));
    EXPECT_EQ(last("run").filename(), last("whole").filename());
    EXPECT_EQ(weft({"evaluate", "run"}).exit, 0);
  }
}

}  // namespace weft::tests

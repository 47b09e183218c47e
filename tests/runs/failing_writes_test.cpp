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

  Ended train_failing(const std::string& file, int error, int64_t writes) const {
    std::filesystem::remove_all(folder_ / "run");
    Command words = training("vae", "run");
    words.environment = {{"LD_PRELOAD", FAILING_WRITE},
                         {"FAILING_FILE", file},
                         {"FAILING_ERROR", std::to_string(error)},
                         {"FAILING_WRITES", std::to_string(writes)}};
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

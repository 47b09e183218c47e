// Products take one thread each, whatever oneDNN was built to run on.
#include <atomic>
#include <thread>

#include "framework/node/error.h"
#include "framework/node/parallel.h"
#include "tests/support/tiny_runs.h"

namespace weft::tests {

using testing::HasSubstr;

namespace {
const std::string on_tbb = "4", on_a_pool = "8";
}

class DnnThreads : public TinyRuns {
 protected:
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  void SetUp() override {
    GTEST_SKIP() << "a sanitizer wants to be loaded first";
  }
#endif
  Ended train_on(const std::string& runtime, const std::string& run, const Words& more = {}) const {
    Command words = training("vae", run, more);
    words.environment["LD_PRELOAD"] = DNN_RUNTIME;
    words.environment["DNN_RUNTIME"] = runtime;
    return tests::run(words);
  }
};

// A distribution may replace the library between two commands.
TEST_F(DnnThreads, OfAnotherOneDnnPromiseNoEqualBits) {
  write("vae", tiny_vae());
  ASSERT_EQ(train("vae", "run", {"--steps", "7"}).exit, 75);
  Command words = training("vae", "run", {"--resume", "auto"});
  words.environment = {{"LD_PRELOAD", DNN_RUNTIME}, {"DNN_PATCH", "99"}};
  const Ended ended = tests::run(words);
  EXPECT_EQ(ended.exit, static_cast<int>(Exit::checkpoint)) << ended.err;
  EXPECT_THAT(ended.err, testing::ContainsRegex("oneDNN \"oneDNN .*99\" now"));
  EXPECT_EQ(train("vae", "run", {"--resume", "auto"}).exit, 0);
}

TEST(Alone, KeepsWorkInItsThread) {
  std::atomic<int> strangers = 0;
  const auto own = std::this_thread::get_id();
  const auto work = [&] {
    in_blocks(200, 1, [&](int64_t, int64_t) {
      strangers += std::this_thread::get_id() != own;
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    });
  };
  alone(work);
  EXPECT_EQ(strangers, 0);
}

TEST_F(DnnThreads, OfOneTbbGiveTheSameBits) {
  write("vae", tiny_vae());
  ASSERT_EQ(train("vae", "a").exit, 0);
  ASSERT_EQ(train_on(on_tbb, "b", {"--threads", "1"}).exit, 0);
  ASSERT_EQ(train_on(on_tbb, "c", {"--threads", "4"}).exit, 0);
  expect_equal_runs("a", "b");
  expect_equal_runs("a", "c");
}

TEST_F(DnnThreads, OfAPoolAreRefused) {
  write("vae", tiny_vae());
  const Ended ended = train_on(on_a_pool, "a");
  EXPECT_EQ(ended.exit, static_cast<int>(Exit::plugin));
  EXPECT_THAT(ended.err, HasSubstr("was built to run on a pool of its caller"));
}

}  // namespace weft::tests

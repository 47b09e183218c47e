#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "tests/support/checkpoint_fixture.h"

namespace weft {
namespace {

// Files may not grow beyond this many bytes, as on a full disk or over a quota.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }

 private:
  rlimit before_{};
  void (*signal_)(int);
};

TEST_F(CheckpointTest, AWriteThatFailsAnywhereLeavesTheOldCheckpoints) {
  CheckpointStore store = open();
  const Content old(1), content(2, 600);
  old.save(store);
  const auto before = names();
  int failures = 0;
  for (rlim_t bytes = 0; bytes < 3500; bytes += 50) {
    const Error error = error_of([&] {
      const FileSizeLimit limit(bytes);
      content.save(store);
    });
    if (error.code() == Exit::done) break;
    ++failures;
    ASSERT_EQ(error.code(), Exit::resources) << error.what();
    ASSERT_NE(error.sentence().find("File too large"), std::string::npos) << error.what();
    ASSERT_NE(error.place().file.find(path_.string()), std::string::npos);
    ASSERT_EQ(names(), before);
    expect_equal(store.newest(), old);
  }
  EXPECT_GT(failures, 40);
  expect_equal(store.newest(), content);
  EXPECT_TRUE(warnings_.empty());
}

// A small disk of its own.
class SmallDisk : public CheckpointTest {
 protected:
  void SetUp() override { fs::create_directory(path_); }
  void TearDown() override {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  bool mount(const char* options) {
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, options) == 0;
    return mounted_;
  }
  bool mounted_ = false;
};

TEST_F(SmallDisk, NothingIsWrittenWithoutRoomForTwice) {
  if (!mount("size=1m")) GTEST_SKIP() << "no tmpfs here: " << std::strerror(errno);
  CheckpointStore store = open();
  const Content small(1, 1000), large(2, 80'000);
  small.save(store);
  const Error error = error_of([&] { large.save(store); });
  EXPECT_EQ(error.code(), Exit::resources);
  EXPECT_NE(error.sentence().find("a checkpoint needs 1.3 MB of free disk, there are 1.0 MB"),
            std::string::npos)
      << error.what();
  expect_equal(store.newest(), small);
  Content(3, 1000).save(store);
  EXPECT_EQ(store.newest().step, 3);
}

// The disk fills up while the files are made.
TEST_F(SmallDisk, ADiskThatFillsUpLeavesTheOldCheckpoints) {
  int failures = 0;
  for (int inodes = 9; inodes < 20; ++inodes) {
    const std::string options = "size=1m,nr_inodes=" + std::to_string(inodes);
    if (!mount(options.c_str())) GTEST_SKIP() << "no tmpfs here: " << std::strerror(errno);
    CheckpointStore store = open();
    const Content old(1), content(2);
    old.save(store);
    const auto before = names();
    const Error error = error_of([&] { content.save(store); });
    if (error.code() == Exit::done) {
      expect_equal(store.newest(), content);
    } else {
      ++failures;
      EXPECT_EQ(error.code(), Exit::resources) << error.what();
      EXPECT_NE(error.sentence().find("No space left on device"), std::string::npos);
      EXPECT_EQ(names(), before);
      expect_equal(store.newest(), old);
    }
    TearDown();
  }
  EXPECT_GE(failures, 4);
}

// A child saves step after step, some of them twice, and is killed at any moment.
TEST_F(CheckpointTest, AKilledTrainerLosesNothingItHadSaved) {
  int64_t seen = -1;
  for (int i = 0; i < 40; ++i) {
    int saved[2];
    ASSERT_EQ(::pipe(saved), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      CheckpointStore store = open(1);
      for (int64_t step = seen + 1;; ++step)
        for (int again = 0; again < 2; ++again) {
          Content(step).save(store);
          if (::write(saved[1], &step, sizeof step) != sizeof step) ::_exit(1);
        }
    }
    ::close(saved[1]);
    int64_t reported = seen;
    ASSERT_EQ(::read(saved[0], &reported, sizeof reported), 8);
    ::usleep(static_cast<useconds_t>(1700 * i));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(saved[0], &reported, sizeof reported) == 8) {
    }
    ::close(saved[0]);

    const Checkpoint checkpoint = open_read_only().newest();
    ASSERT_GE(checkpoint.step, reported);
    ASSERT_LE(checkpoint.step, reported + 1);
    seen = checkpoint.step;
    expect_equal(checkpoint, Content(seen));
    CheckpointStore store = open(1);
    expect_equal(store.newest(), Content(seen));
    for (const std::string& name : names()) ASSERT_NE(name[0], '.') << name;
  }
  EXPECT_TRUE(warnings_.empty());
}

}  // namespace
}  // namespace weft

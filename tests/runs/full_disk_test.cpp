// A full disk does not end a training; it is told, and nothing that was saved is lost.
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "tests/support/tiny_runs.h"

namespace weft::tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class FullDisk : public TinyRuns {
 protected:
  FullDisk() {
    write("vae",
          replaced(replaced(tiny_vae(), "every_steps: 7", "every_steps: 20"), ", best: loss", ""));
  }
  void SetUp() override {
    fs::create_directory(folder_ / "disk");
    mounted_ = ::mount("tmpfs", (folder_ / "disk").c_str(), "tmpfs", 0, "size=1m") == 0;
    if (!mounted_) GTEST_SKIP() << "no tmpfs can be mounted here: " << std::strerror(errno);
  }
  void TearDown() override {
    if (mounted_) ::umount2((folder_ / "disk").c_str(), MNT_DETACH);
  }
  // Leaves so many bytes of room, or less than a page more.
  void fill(uint64_t room) const {
    struct statvfs disk {};
    ASSERT_EQ(::statvfs((folder_ / "disk").c_str(), &disk), 0);
    const uint64_t free = disk.f_bavail * disk.f_frsize;
    if (free > room) write_text(folder_ / "disk/ballast", std::string(free - room, 'x'));
  }
  bool mounted_ = false;
};

TEST_F(FullDisk, TrainingGoesOnAndEndsWith7IfTheLastSaveFailed) {
  ASSERT_EQ(train("vae", "disk/run", {"--steps", "20"}).exit, 75);
  fill(30'000);  // enough for small files, too little for a checkpoint
  const Ended ended = train("vae", "disk/run", {"--resume", "auto"});
  EXPECT_EQ(ended.exit, 7) << ended.err;
  EXPECT_THAT(ended.err, AllOf(HasSubstr("step 40 is not saved"), HasSubstr("of free disk"),
                               HasSubstr("training goes on"), HasSubstr("step 60 is not saved"),
                               HasSubstr("the last checkpoint could not be written")));
  EXPECT_EQ(status("disk/run").at("state"), "failed");
  EXPECT_EQ(status("disk/run").at("step"), 60);
  EXPECT_EQ(step_of(last("disk/run")), 20);
  EXPECT_EQ(weft({"evaluate", "disk/run"}).exit, 0);

  fs::remove(folder_ / "disk/ballast");
  ASSERT_EQ(train("vae", "disk/run", {"--resume", "auto"}).exit, 0);
  ASSERT_EQ(train("vae", "whole").exit, 0);
  expect_equal_runs("whole", "disk/run");
}

TEST_F(FullDisk, RoomThatComesBackIsUsed) {
  const Words length{"--set", "train.steps=100000"};
  Process process(training("vae", "disk/run", length));
  while (process.running() && step_of(last("disk/run")) < 20) sleep_for(0.001);
  fill(0);
  sleep_for(0.3);
  ASSERT_TRUE(process.running()) << process.wait().err;
  const int64_t kept = step_of(last("disk/run"));
  EXPECT_EQ(weft({"evaluate", "disk/run"}).exit, 0);
  fs::remove(folder_ / "disk/ballast");
  while (process.running() && step_of(last("disk/run")) == kept) sleep_for(0.001);
  process.signal(SIGTERM);
  const Ended ended = process.wait();
  EXPECT_EQ(ended.exit, 75) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("is not saved"));
  EXPECT_GT(step_of(last("disk/run")), kept);
}

// Not even status.json has room: whatever is asked of it, the checkpoint stays.
TEST_F(FullDisk, StoppingWithoutRoomSaysSo) {
  Process process(training("vae", "disk/run", {"--set", "train.steps=1000000"}));
  while (process.running() && step_of(last("disk/run")) < 20) sleep_for(0.001);
  fill(0);
  sleep_for(0.3);
  ASSERT_TRUE(process.running()) << process.wait().err;
  process.signal(SIGTERM);
  const Ended ended = process.wait();
  EXPECT_EQ(ended.exit, 7) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("could not be saved"));
  EXPECT_EQ(weft({"evaluate", "disk/run"}).exit, 0);
}

}  // namespace
}  // namespace weft::tests

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/checkpoint_fixture.h"

namespace weft {
namespace {

TEST_F(CheckpointTest, RetentionAcrossTheGrowthOfADigit) {
  for (const int keep : {1, 3}) {
    fs::remove_all(path_);
    CheckpointStore store = open(keep);
    for (int64_t step = 9900; step <= 10100; step += 20) {
      Content(step).save(store);
      if (step == 9940) store.mark_best(9940);
      ASSERT_EQ(store.newest().step, step);
      ASSERT_EQ(last(), name(step));
      std::set<std::string> expected{"last", name(step)};
      if (step >= 9940) expected.merge(std::set<std::string>{"best", name(9940)});
      for (int64_t i = 1; i < keep && step - 20 * i >= 9900; ++i)
        expected.insert(name(step - 20 * i));
      ASSERT_EQ(names(), expected) << "keep " << keep << " step " << step;
    }
    EXPECT_EQ(store.best().step, 9940);
    store.mark_best(10100);
    Content(10120).save(store);
    EXPECT_EQ(names().count(name(9940)), 0U);
    EXPECT_EQ(names().count(name(10100)), 1U);
  }
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(CheckpointTest, TheCheckpointResumedFromIsKept) {
  CheckpointStore store = open(1);
  Content(100).save(store);
  store.protect(100);
  for (const int64_t step : {200, 300}) Content(step).save(store);
  EXPECT_EQ(names(), (std::set<std::string>{"last", name(100), name(300)}));
}

// A run that went back to an older step does not lose what it just saved, nor what is newer.
TEST_F(CheckpointTest, NewerCheckpointsOfAnAbandonedRunStay) {
  CheckpointStore store = open(1);
  Content(600).save(store);
  Content(450).save(store);
  Content(470).save(store);
  EXPECT_EQ(names(), (std::set<std::string>{"last", name(470), name(600)}));
  EXPECT_EQ(last(), name(470));
}

TEST_F(CheckpointTest, UnknownAndBrokenDirectoriesAreNotRetired) {
  CheckpointStore store = open(1);
  for (const char* other : {"step-1", "step-000000000001.bak", "notes", "step-00000000000x"})
    fs::create_directory(path_ / other);
  fs::remove(Content(1).save(store) / "MANIFEST.json");
  Content(2).save(store);
  EXPECT_EQ(names().size(), 7U);  // and last
  EXPECT_EQ(names().count(name(1)), 1U);
}

TEST_F(CheckpointTest, TheSameStepIsReplaced) {
  CheckpointStore store = open(1);
  Content(10).save(store);
  store.mark_best(10);
  Content second(10);
  second.state["best"] = 0.05;
  second.save(store);
  expect_equal(store.newest(), second);
  expect_equal(store.best(), second);
  EXPECT_EQ(names(), (std::set<std::string>{"last", "best", name(10)}));
  EXPECT_TRUE(warnings_.empty());

  put(path_ / name(10) / "state.json", "{}");
  second.save(store);
  expect_equal(store.newest(), second);
  EXPECT_EQ(names().count("broken-step-000000000010"), 1U);
  EXPECT_EQ(warnings_.size(), 1U);
}

// Killed between the two renames of a replacement, or before the old one was deleted.
TEST_F(CheckpointTest, AReplacementCutShortIsFinished) {
  const Content content(10);
  {
    CheckpointStore store = open(1);
    content.save(store);
    store.mark_best(10);
  }
  fs::rename(path_ / name(10), path_ / "replaced-step-000000000010");
  expect_equal(open_read_only().newest(), content);
  expect_equal(open().best(), content);
  EXPECT_EQ(names().count(name(10)), 1U);

  fs::copy(path_ / name(10), path_ / "replaced-step-000000000010");
  CheckpointStore store = open(1);
  expect_equal(store.newest(), content);
  store.protect(10);
  Content(11).save(store);
  EXPECT_EQ(names(), (std::set<std::string>{"last", "best", name(10), name(11)}));
}

TEST_F(CheckpointTest, LeftoversOfDeadProcessesGo) {
  const pid_t dead = ::fork();
  ASSERT_GE(dead, 0);
  if (dead == 0) ::_exit(0);
  ::waitpid(dead, nullptr, 0);
  {
    CheckpointStore store = open();
    Content(1).save(store);
  }
  const std::string pid = std::to_string(dead), living = std::to_string(::getppid());
  for (const std::string& leftover :
       {".tmp-2-" + pid, ".trash-step-000000000000-" + pid, ".tmp-3-" + living})
    fs::copy(path_ / name(1), path_ / leftover);
  fs::create_symlink("step", path_ / (".tmp-last-0-" + pid));
  EXPECT_EQ(open_read_only().newest().step, 1);
  EXPECT_EQ(names().size(), 6U);
  EXPECT_EQ(open().newest().step, 1);
  EXPECT_EQ(names(), (std::set<std::string>{"last", name(1), ".tmp-3-" + living}));
}

}  // namespace
}  // namespace weft

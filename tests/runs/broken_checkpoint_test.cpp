// A broken checkpoint costs what was trained since the one before it, and nothing else.
#include "tests/support/tiny_runs.h"

namespace weft::tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class BrokenCheckpoint : public TinyRuns {
 protected:
  BrokenCheckpoint() { write("gan", tiny_gan()); }
  void SetUp() override {
    ASSERT_EQ(train("gan", "whole").exit, 0);
    ASSERT_EQ(train("gan", "run", {"--steps", "35"}).exit, 75);
  }
  Ended resume() const { return train("gan", "run", {"--resume", "auto"}); }
};

TEST_F(BrokenCheckpoint, AChangedByteAnywhereIsSeen) {
  for (const char* file : {"model.safetensors", "optimizer.safetensors", "state.json",
                           "pipeline.yaml", "MANIFEST.json"}) {
    damage(checkpoint("run", 35) / file);
    const Ended ended = resume();
    ASSERT_EQ(ended.exit, 0) << ended.err;
    EXPECT_THAT(ended.err,
                AllOf(HasSubstr("checkpoint step-000000000035 is broken (" + std::string(file)),
                      HasSubstr("renamed to broken-step-000000000035"),
                      HasSubstr("falling back to step 28"), HasSubstr("resuming run at step 28")));
    EXPECT_TRUE(fs::exists(folder_ / "run/checkpoints/broken-step-000000000035"));
    expect_equal_runs("whole", "run");
    ASSERT_EQ(train("gan", "run", {"--overwrite", "--steps", "35"}).exit, 75);
  }
}

TEST_F(BrokenCheckpoint, ATruncatedOrMissingFileIsSeen) {
  for (const uintmax_t size : {0, 1, 100, 4000}) {
    fs::resize_file(checkpoint("run", 35) / "model.safetensors", size);
    const Ended ended = resume();
    ASSERT_EQ(ended.exit, 0) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr("falling back to step 28"));
    expect_equal_runs("whole", "run");
    ASSERT_EQ(train("gan", "run", {"--overwrite", "--steps", "35"}).exit, 75);
  }
  fs::remove(checkpoint("run", 35) / "MANIFEST.json");
  EXPECT_THAT(resume().err, HasSubstr("falling back to step 28"));
  expect_equal_runs("whole", "run");
}

TEST_F(BrokenCheckpoint, OneThatWasAskedForIsNotReplacedByAnother) {
  damage(checkpoint("run", 28) / "model.safetensors");
  const Ended ended = train("gan", "run", {"--resume", "28"});
  EXPECT_EQ(ended.exit, 6);
  EXPECT_THAT(ended.err, HasSubstr("model.safetensors"));
  for (const int64_t step : {35, 21}) damage(checkpoint("run", step) / "MANIFEST.json");
  EXPECT_EQ(train("gan", "run", {"--resume", "last"}).exit, 6);
}

TEST_F(BrokenCheckpoint, EvaluationUsesTheOlder) {
  const Ended older = weft({"evaluate", "run", "--checkpoint", "28", "--json"});
  ASSERT_EQ(older.exit, 0) << older.err;
  damage(checkpoint("run", 35) / "model.safetensors");
  const Ended ended = weft({"evaluate", "run", "--json"});
  ASSERT_EQ(ended.exit, 0) << ended.err;
  EXPECT_THAT(ended.err, AllOf(HasSubstr("step-000000000035 is broken"), HasSubstr("skipped"),
                               HasSubstr("falling back to step 28")));
  EXPECT_EQ(ended.out, older.out);
  EXPECT_TRUE(fs::exists(checkpoint("run", 35)));  // evaluating changes nothing
  for (const int64_t step : {28, 21}) damage(checkpoint("run", step) / "model.safetensors");
  EXPECT_EQ(weft({"evaluate", "run"}).exit, 6);
}

TEST_F(BrokenCheckpoint, ALineOfMetricsThatWasCutIsDropped) {
  std::string metrics = text("run/metrics.jsonl");
  write_text(folder_ / "run/metrics.jsonl", metrics + "{\"step\": 3");
  const Ended ended = resume();
  ASSERT_EQ(ended.exit, 0) << ended.err;
  expect_equal_runs("whole", "run");
}

TEST_F(BrokenCheckpoint, WhatAKilledSaveLeftIsRemoved) {
  fs::copy(checkpoint("run", 35), folder_ / "run/checkpoints/.tmp-42-2147483647");
  EXPECT_EQ(resume().exit, 0);
  for (const auto& entry : fs::directory_iterator(folder_ / "run/checkpoints"))
    EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("tmp")));
  expect_equal_runs("whole", "run");
}

}  // namespace
}  // namespace weft::tests

// How a run starts, and what is refused.
#include <csignal>

#include "tests/support/tiny_runs.h"

namespace weft::tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Start : public TinyRuns {
 protected:
  Start() { write("vae", tiny_vae()); }
};

TEST_F(Start, ARunThatExistsIsNotTouched) {
  ASSERT_EQ(train("vae", "run", {"--steps", "7"}).exit, 75);
  const std::string before = text("run/checkpoints/last/MANIFEST.json");
  const Ended again = train("vae", "run", {"--set", "seed=1"});
  EXPECT_EQ(again.exit, 2);
  EXPECT_THAT(again.err, AllOf(HasSubstr("`run` holds a run already"), HasSubstr("--resume auto"),
                               HasSubstr("--overwrite"), HasSubstr("-o names another")));
  EXPECT_EQ(text("run/checkpoints/last/MANIFEST.json"), before);
  EXPECT_EQ(train("vae", "run", {"--overwrite", "--resume", "auto"}).exit, 2);
}

TEST_F(Start, OverwriteStartsAnew) {
  ASSERT_EQ(train("vae", "run", {"--set", "seed=1"}).exit, 0);
  write_text(folder_ / "run/mine.txt", "mine");
  ASSERT_EQ(train("vae", "run", {"--overwrite"}).exit, 0);
  ASSERT_EQ(train("vae", "fresh").exit, 0);
  expect_equal_runs("run", "fresh");
  EXPECT_EQ(text("run/mine.txt"), "mine");
}

TEST_F(Start, AutoStartsAnewWhereThereIsNothing) {
  ASSERT_EQ(train("vae", "fresh").exit, 0);
  ASSERT_EQ(train("vae", "auto", {"--resume", "auto"}).exit, 0);
  expect_equal_runs("auto", "fresh");
}

TEST_F(Start, AResumedRunTellsWhatHasChanged) {
  ASSERT_EQ(train("vae", "run", {"--steps", "7"}).exit, 75);
  const Ended same = train("vae", "run", {"--resume", "auto", "--steps", "14"});
  EXPECT_THAT(same.err, testing::Not(HasSubstr("changed since")));
  const Ended longer = train("vae", "run", {"--resume", "auto", "--set", "train.steps=20"});
  EXPECT_EQ(longer.exit, 0) << longer.err;
  EXPECT_THAT(longer.err, HasSubstr("changed since the checkpoint: train.steps\n"));
  const Words other{"--resume", "auto",          "--set", "train.phases.0.optimizer.lr=0.5",
                    "--set",    "train.steps=30"};
  const Ended refused = train("vae", "run", other);
  EXPECT_EQ(refused.exit, 6) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("since the checkpoint: train.phases.0.optimizer.lr; "));
  Words drifting = other;
  drifting.push_back("--allow-drift");
  EXPECT_EQ(train("vae", "run", drifting).exit, 0);
  const std::string kept = text("run/resolved.yaml");  // what is done stays what it was
  EXPECT_EQ(
      train("vae", "run", {"--resume", "auto", "--set", "train.steps=30", "--allow-drift"}).exit,
      0);
  EXPECT_EQ(text("run/resolved.yaml"), kept);
}

TEST_F(Start, AFinishedRunIsLeftAlone) {
  ASSERT_EQ(train("vae", "run").exit, 0);
  ASSERT_EQ(train("vae", "fresh").exit, 0);
  const auto saved = std::filesystem::last_write_time(last("run") / "MANIFEST.json");
  const double begin = seconds_now();
  const Ended again = train("vae", "run", {"--resume", "auto"});
  EXPECT_EQ(again.exit, 0) << again.err;
  EXPECT_LT(seconds_now() - begin, 2);
  EXPECT_EQ(std::filesystem::last_write_time(last("run") / "MANIFEST.json"), saved);
  expect_equal_runs("run", "fresh");
}

TEST_F(Start, TheBestOrAStepIsResumed) {
  ASSERT_EQ(train("vae", "whole").exit, 0);
  ASSERT_EQ(train("vae", "run", {"--steps", "32"}).exit, 75);
  const auto best = std::filesystem::read_symlink(folder_ / "run/checkpoints/best");
  EXPECT_EQ(best, "step-000000000030");
  const Ended from_best = train("vae", "run", {"--resume", "best"});
  EXPECT_EQ(from_best.exit, 0);
  EXPECT_THAT(from_best.err, HasSubstr("at step 30"));
  expect_equal_runs("whole", "run");

  const Ended missing = train("vae", "run", {"--resume", "13"});
  EXPECT_EQ(missing.exit, 6);
  EXPECT_THAT(missing.err, HasSubstr("no checkpoint of step 13: there are 60, "));
  const Ended nonsense = train("vae", "run", {"--resume", "yesterday"});
  EXPECT_EQ(nonsense.exit, 2);
  EXPECT_THAT(nonsense.err, HasSubstr("`yesterday`"));
  expect_equal_runs("whole", "run");
}

TEST_F(Start, NothingIsResumedWhereNoRunIs) {
  for (const char* which : {"last", "best", "7"}) {
    const Ended ended = train("vae", "nowhere", {"--resume", which});
    EXPECT_EQ(ended.exit, 6) << which;
    EXPECT_THAT(ended.err, HasSubstr("`nowhere` holds no run to resume"));
  }
}

TEST_F(Start, ThereIsOneTrainerForARun) {
  Process first(training("vae", "run", {"--set", "train.steps=1000000"}));
  await_training(first, "run");
  for (const Words& how : {Words{"--resume", "auto"}, Words{"--overwrite"}}) {
    const Ended second = train("vae", "run", how);
    EXPECT_EQ(second.exit, 2);
    EXPECT_THAT(second.err, HasSubstr("run is being trained by process "));
  }
  EXPECT_TRUE(first.running());
  first.signal(SIGTERM);
  EXPECT_EQ(first.wait().exit, 75);
}

TEST_F(Start, ARunThatIsPastItsEndSaysSo) {
  ASSERT_EQ(train("vae", "run", {"--steps", "7"}).exit, 75);
  const Ended past = train("vae", "run", {"--resume", "auto", "--set", "train.steps=5"});
  EXPECT_EQ(past.exit, 0);
  EXPECT_THAT(past.err, HasSubstr("run is at step 7, past the 5 that are asked for"));
}

TEST_F(Start, AnotherSeedIsNotResumed) {
  ASSERT_EQ(train("vae", "run", {"--steps", "7"}).exit, 75);
  const Ended drifts = train("vae", "run", {"--resume", "auto", "--set", "seed=1"});
  EXPECT_EQ(drifts.exit, 6);
  EXPECT_THAT(drifts.err, HasSubstr("the same bits: seed 0 then, 1 now; --allow-drift"));
  EXPECT_EQ(train("vae", "run", {"--resume", "auto", "--set", "seed=1", "--allow-drift"}).exit, 0);
}

TEST_F(Start, AnotherModelIsNotResumed) {
  ASSERT_EQ(train("vae", "run", {"--steps", "7"}).exit, 75);
  const Ended other = train("vae", "run", {"--resume", "auto", "--set", "latent=5"});
  EXPECT_EQ(other.exit, 6);
  const Ended drifting =
      train("vae", "run", {"--resume", "auto", "--set", "latent=5", "--allow-drift"});
  EXPECT_EQ(drifting.exit, 6);
  EXPECT_THAT(drifting.err,
              HasSubstr("`decoder.h.weight` is [32, 4] in the checkpoint, but [32, 5]"));
  EXPECT_THAT(other.err, HasSubstr("changed since the checkpoint: modules."));
}

TEST_F(Start, AMistakeLeavesNoRun) {
  write("wrong", replaced(tiny_vae(), "latent: 4", "latent: 0"));
  EXPECT_EQ(train("wrong", "run").exit, 2);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(Start, TimeIsLimited) {
  const Ended ended =
      train("vae", "run", {"--hours", "0.0002", "--set", "train.steps=1000000"});  // 0.72 s
  EXPECT_EQ(ended.exit, 75) << ended.err;
  EXPECT_EQ(status("run").at("state"), "stopped");
  EXPECT_EQ(status("run").at("step"), step_of(last("run")));
}

TEST_F(Start, WhatTheDataLacksIsToldAndKept) {
  write_text(folder_ / "t.csv", "name,kind\nred apple,fruit\n,fruit\nhammer,tool\n");
  write("words", R"(
weft: 1
name: words
modules:
  model:
    inputs: [words]
    nodes:
      rows:   {node: embedding, x: words, vocabulary: 8, features: 4}
      mean:   {node: global_avg_pool, x: rows}
      logits: {node: linear, x: mean, features: 2}
    outputs: {logits: logits}
train:
  data: {node: table, file: t.csv, text: name, label: kind, missing: leave_out, batch: 2}
  nodes:
    kind: {use: model, words: data.words}
    loss: {node: cross_entropy, logits: kind, label: data.label}
  phases: [{minimize: loss, update: model, optimizer: {node: adam, lr: 1e-3}}]
  steps: 3
evaluate:
  report: loss
)");
  const std::string note =
      "data: 1 of 3 rows lack something and are left out; the first, row 2 has";
  const Ended run = train("words", "run");
  ASSERT_EQ(run.exit, 0) << run.err;
  EXPECT_THAT(run.err, AllOf(HasSubstr("train/" + note), HasSubstr("evaluate/" + note)));
  EXPECT_THAT(text("run/log.txt"), HasSubstr("train/" + note));
  EXPECT_THAT(weft({"check", "words.yaml"}).out, HasSubstr("train/" + note));
  EXPECT_THAT(weft({"evaluate", "run"}).err, HasSubstr("weft: evaluate/" + note));
}

}  // namespace
}  // namespace weft::tests

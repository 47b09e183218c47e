// Mistakes of the command line: each is a sentence that helps.
#include <sys/stat.h>
#include <unistd.h>

#include "framework/node/error.h"
#include "framework/run/run_directory.h"
#include "tests/support/tiny_runs.h"

namespace weft::tests {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Typed : public TinyRuns {
 protected:
  Typed() { write("it", tiny_vae()); }
  std::string refused(const Words& words, Exit code = Exit::usage) const {
    const Ended ended = weft(words);
    EXPECT_EQ(ended.exit, static_cast<int>(code)) << ended.err;
    EXPECT_EQ(ended.out, "");
    return ended.err;
  }
};

TEST_F(Typed, OptionsThatACommandHasNot) {
  EXPECT_THAT(refused({"train", "it.yaml", "--thread", "2"}),
              StartsWith("`weft train` has no option `--thread` (did you mean `--threads`?)"));
  EXPECT_THAT(refused({"--threads", "2", "train", "it.yaml"}),
              StartsWith("`weft` has no option `--threads`, but `weft train`, `weft evaluate`"));
  EXPECT_THAT(refused({"evaluate", "-n", "3", "run"}),
              StartsWith("`weft evaluate` has no option `-n`, but `weft generate` has it"));
  EXPECT_THAT(refused({"train", "it.yaml", "-o"}), StartsWith("`-o` needs a value: "));
  EXPECT_THAT(refused({"data", "list", "--jsn"}), StartsWith("`weft data list` has no option"));
}

TEST_F(Typed, ValuesThatAreNone) {
  EXPECT_THAT(refused({"train", "it.yaml", "--steps", "0"}),
              HasSubstr("--steps: must be a whole number, at least 1, not `0`\n"));
  EXPECT_THAT(refused({"train", "it.yaml", "--threads", "two"}),
              HasSubstr("--threads: must be a whole number, 1 to 4096, not `two`\n"));
  for (const char* hours : {"nan", "inf", "-1", "0", "1h"})
    EXPECT_THAT(refused({"train", "it.yaml", "--hours", hours}),
                HasSubstr("--hours: must be a number, above 0, not `" + std::string(hours) + "`"));
  EXPECT_THAT(refused({"train", "it.yaml", "--stall", "-1"}),
              HasSubstr("must be a number, at least 0"));
}

TEST_F(Typed, WordsThatLookLikeOptionsAreTaken) {
  const Ended ended = weft({"train", "it.yaml", "-orun", "--steps=3", "--progress", "none",
                            "--set=train.epochs=9", "--hours", "5e-1"});
  EXPECT_EQ(ended.exit, static_cast<int>(Exit::stopped)) << ended.err;
  EXPECT_EQ(status("run").at("step"), 3);
  EXPECT_THAT(refused({"evaluate", "--", "-x"}), HasSubstr("there is no run or pipeline `-x`"));
}

TEST_F(Typed, ThreadsOfTheEnvironment) {
  Command wrong = command({"train", "it.yaml", "-o", "run", "--steps", "3"});
  wrong.environment["WEFT_THREADS"] = "abc";
  EXPECT_THAT(run(wrong).err, StartsWith("$WEFT_THREADS must be a whole number, 1 to 4096"));
  wrong.words = {wrong.words[0], "nodes", "relu"};  // has no use for threads
  EXPECT_EQ(run(wrong).exit, 0);
  Command right = command({"train", "it.yaml", "-o", "run", "--steps", "3"});
  right.environment["WEFT_THREADS"] = "2";
  EXPECT_EQ(run(right).exit, static_cast<int>(Exit::stopped));
}

TEST_F(Typed, ARunWhereAPipelineMustStand) {
  ASSERT_EQ(train("it", "run", {"--steps", "3"}).exit, static_cast<int>(Exit::stopped));
  EXPECT_THAT(refused({"train", "run"}), StartsWith("`run` is a run: its pipeline is"));
  EXPECT_THAT(refused({"train", "it.yaml", "-o", "it.yaml"}),
              StartsWith("`it.yaml` is a file, but a run is a folder"));
  write("other", replaced(tiny_vae(), "name: ", "name: another_"));
  EXPECT_THAT(refused({"train", "other.yaml", "-o", "run", "--resume", "auto", "--set",
                       "train.phases.0.optimizer.lr=0.5"},
                      Exit::checkpoint),
              HasSubstr("the run is of the pipeline `"));
}

// As nobody, where the tests run as root, who may read everything.
TEST_F(Typed, AFolderThatMayNotBeReadIsNotCalledMissing) {
  const std::filesystem::path run = folder_ / "closed";
  std::filesystem::create_directory(run);
  ASSERT_EQ(chmod(run.c_str(), 0), 0);
  const uid_t user = geteuid();
  if (user == 0 && seteuid(65534) != 0) FAIL();
  std::string said;
  try {
    RunDirectory::exists(run);
  } catch (const Error& error) {
    said = error.what();
  }
  if (user == 0 && seteuid(user) != 0) FAIL();
  chmod(run.c_str(), 0700);
  EXPECT_THAT(said, HasSubstr("closed: cannot be read: Permission denied"));
}

}  // namespace
}  // namespace weft::tests

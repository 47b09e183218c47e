// `weft train` with nodes that fail: its end, its sentence, and what is left in the run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <nlohmann/json.hpp>

#include "framework/run/checkpoint_store.h"
#include "tests/faults/chain.h"
#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"

namespace weft::tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class FaultyRuns : public testing::Test {
 protected:
  Ended weft_train(const std::vector<std::string>& more = {}, bool faultless = false) {
    std::vector<std::string> words{program("weft"), "train", "chain.yaml", "-o", "run"};
    words.insert(words.end(), more.begin(), more.end());
    Command command{words, here_.path(), {}, 30};
    if (faultless) command.environment["FAULTLESS"] = "1";
    return run(command);
  }
  bool hangs() const {  // rather than being about to
    std::error_code missing;
    return fs::exists(here_ / "run/log.txt", missing) &&
           read_text(here_ / "run/log.txt").find("running: out.middle") != std::string::npos;
  }
  TemporaryDirectory here_;
};

TEST_F(FaultyRuns, LeaveWholeCheckpointsToGoOnFrom) {
  const std::vector<std::tuple<std::string, std::string, int>> faults{
      {"forward", "error", 4}, {"forward", "exception", 3}, {"forward", "other", 3},
      {"forward", "nan", 5},   {"backward", "error", 4},    {"learn", "other", 3},
      {"backward", "nan", 5},  {"learn", "nan", 5}};
  for (const auto& [at, kind, exit] : faults)
    for (const std::string threads : {"1", "8"}) {
      SCOPED_TRACE(at + " " + kind + " " + threads);
      fs::remove_all(here_ / "run");
      write_text(here_ / "chain.yaml",  // relu makes zeros of what is not a number
                 chain(middle, "at: " + at + ", kind: " + kind, false, "relu"));
      const Ended ended = weft_train({"--threads", threads});
      EXPECT_EQ(ended.exit, exit) << ended.err;
      EXPECT_FALSE(ended.timed_out);
      EXPECT_THAT(ended.err, AllOf(HasSubstr("step "), Not(HasSubstr("unexpected"))));

      int whole = 0;
      for (const auto& entry : fs::directory_iterator(here_ / "run/checkpoints")) {
        if (entry.is_symlink()) continue;
        const Checkpoint checkpoint = Checkpoint::read(entry.path());
        for (const auto& [name, tensor] : checkpoint.model.tensors())
          for (const float x : tensor.span()) ASSERT_TRUE(std::isfinite(x)) << name;
        ++whole;
      }
      EXPECT_EQ(whole, failing_step);  // of steps 1, 2 and 3
      const Ended again = weft_train({"--resume", "auto"}, true);
      EXPECT_EQ(again.exit, 0) << again.err;
    }
}

TEST_F(FaultyRuns, OfNodesThatThrowBeforeTheFirstStepEndInASentence) {
  for (const std::string at : {"infer", "prepare"})
    for (const auto& [kind, exit] :
         {std::pair("error", 4), std::pair("exception", 3), std::pair("other", 3)}) {
      SCOPED_TRACE(at + " " + kind);
      fs::remove_all(here_ / "run");
      write_text(here_ / "chain.yaml", chain(middle, "at: " + at + ", kind: " + kind));
      const Ended ended = weft_train();
      EXPECT_EQ(ended.exit, exit) << ended.err;
      EXPECT_THAT(ended.err, HasSubstr("out.middle (faulty)"));
    }
}

TEST_F(FaultyRuns, ThatExitHaveFailed) {
  for (const std::string at : {"infer", "prepare", "forward", "learn"}) {
    SCOPED_TRACE(at);
    fs::remove_all(here_ / "run");
    write_text(here_ / "chain.yaml", chain(middle, "at: " + at + ", kind: exit"));
    const Ended ended = weft_train({"--threads", "8"});
    EXPECT_EQ(ended.exit, 3) << ended.err;
    EXPECT_THAT(ended.err, AllOf(HasSubstr("out.middle (faulty), " + at),
                                 HasSubstr("ended the process by exit()")));
    if (at == "infer" || at == "prepare") continue;  // there is no run yet
    const auto status = nlohmann::json::parse(read_text(here_ / "run/status.json"));
    EXPECT_EQ(status.at("state"), "failed");
    EXPECT_EQ(status.at("step"), failing_step);
    EXPECT_THAT(status.at("reason"), HasSubstr("exit()"));
  }
}

TEST_F(FaultyRuns, SinksMayWriteWhenThePassIsOver) {
  const auto generate = [&](const std::string& fails) {
    write_text(here_ / "it.yaml", "weft: 1\nplugins: [" FAULTY
                                  "]\ngenerate:\n  data: {node: faulty_data, batch: 24}\n  nodes:\n"
                                  "    out: {node: journal, x: data.x, fails: " +
                                      fails + "}\n");
    return run({{program("weft"), "generate", "it.yaml", "-o", "out"}, here_.path(), {}, 30});
  };
  const Ended failed = generate("true");
  EXPECT_EQ(failed.exit, 3);
  EXPECT_THAT(failed.err, HasSubstr("out (journal), finish(): the ink is dry"));
  EXPECT_FALSE(fs::exists(here_ / "out/journal.txt"));
  const Ended done = generate("false");
  EXPECT_EQ(done.exit, 0) << done.err;
  EXPECT_EQ(read_text(here_ / "out/journal.txt"), "24\n24\n16\n");
}

TEST_F(FaultyRuns, ThatCrashNameTheNode) {
  for (const std::string at : {"infer", "prepare", "forward", "backward", "learn"})
    for (const auto& [kind, signal] : {std::pair{"crash", SIGSEGV}, std::pair{"abort", SIGABRT},
                                       std::pair{"overflow", SIGSEGV}}) {
      SCOPED_TRACE(at + " " + kind);
      fs::remove_all(here_ / "run");
      write_text(here_ / "chain.yaml", chain(middle, "at: " + at + ", kind: " + kind));
      const Ended ended = weft_train({"--threads", "8"});
      EXPECT_EQ(ended.signal, signal) << ended.err;
      EXPECT_THAT(ended.err, AllOf(HasSubstr("weft: out.middle (faulty), "), HasSubstr(at),
                                   HasSubstr(": crashed (")));
      EXPECT_EQ(ended.err.find("at a null pointer") != std::string::npos,
                kind == std::string("crash"));
      if (at == "infer" || at == "prepare") continue;  // there is no run yet
      const auto status = nlohmann::json::parse(read_text(here_ / "run/status.json"));
      EXPECT_EQ(status.at("state"), "failed");
      EXPECT_THAT(status.at("reason"), HasSubstr("out.middle (faulty), step 3"));
      EXPECT_THAT(read_text(here_ / "run/log.txt"), HasSubstr("crashed"));
    }
}

TEST_F(FaultyRuns, ThatHangYieldToASecondSignalOrToStallKill) {
  write_text(here_ / "chain.yaml", chain(middle, "at: forward, kind: hang, seconds: 60", true));
  const Ended killed = weft_train({"--stall-kill", "1"});
  EXPECT_EQ(killed.exit, 3) << killed.err;
  EXPECT_THAT(killed.err, AllOf(HasSubstr("no step has ended for 1 s; running: out.middle"),
                                HasSubstr("ended by --stall-kill")));
  const auto status = [&] { return nlohmann::json::parse(read_text(here_ / "run/status.json")); };
  EXPECT_EQ(status().at("state"), "failed");
  EXPECT_THAT(status().at("reason"), HasSubstr("out.middle"));

  fs::remove_all(here_ / "run");
  Process process({{program("weft"), "train", "chain.yaml", "-o", "run", "--stall", "0.2"},
                   here_.path(),
                   {},
                   60});
  while (process.running() && !hangs()) sleep_for(0.02);
  process.signal(SIGTERM);
  process.signal(SIGTERM);  // too soon
  sleep_for(5.2);
  EXPECT_TRUE(process.running());
  process.signal(SIGTERM);
  const Ended ended = process.wait();
  EXPECT_EQ(ended.exit, 130) << ended.err;
  EXPECT_THAT(status().at("reason"), HasSubstr("ended at once"));
}

TEST_F(FaultyRuns, ThatCrashInABlockOfAnotherThreadNameTheNode) {
  write_text(here_ / "chain.yaml", chain(middle, "at: forward, kind: crash_in_block", true));
  const Ended ended = weft_train({"--threads", "4"});
  EXPECT_EQ(ended.signal, SIGSEGV) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("weft: out.middle (faulty), step 3, forward: crashed ("));
}

TEST_F(FaultyRuns, ThatHangAsTheyReadNameTheSource) {
  std::string text = chain(middle, "at: nowhere");
  text.replace(text.find("  nodes:\n    noise"), 9,
               "  data: {node: faulty_data, batch: 64, slow: 3}\n  nodes:\n");
  const std::string noise = "{node: normal, shape: [64, 8]}";
  text.replace(text.find(noise), noise.size(), "{node: scale, x: data.x, by: 2}");
  write_text(here_ / "chain.yaml", text);
  const Ended killed = weft_train({"--stall-kill", "1"});
  EXPECT_EQ(killed.exit, 3) << killed.err;
  EXPECT_THAT(killed.err, HasSubstr("no step has ended for 1 s; running: data"));
}

TEST_F(FaultyRuns, ThatHangYieldToASecondInterruptAndNoOther) {
  write_text(here_ / "chain.yaml", chain(middle, "at: forward, kind: hang, seconds: 60", true));
  Process process({{program("weft"), "train", "chain.yaml", "-o", "run", "--stall", "0.2"},
                   here_.path(),
                   {},
                   60});
  while (process.running() && !hangs()) sleep_for(0.02);
  process.signal(SIGHUP);  // as a terminal that is closed does, before it interrupts
  process.signal(SIGINT);
  sleep_for(0.3);
  EXPECT_TRUE(process.running());
  process.signal(SIGINT);
  EXPECT_EQ(process.wait().exit, 130);
}

TEST_F(FaultyRuns, ThatHangAreReported) {
  for (const std::string at : {"forward", "backward", "learn"}) {
    SCOPED_TRACE(at);
    fs::remove_all(here_ / "run");
    write_text(here_ / "chain.yaml",
               chain(middle, "at: " + at + ", kind: hang, seconds: 2.5", true));
    const Ended ended = weft_train({"--stall", "1"});
    EXPECT_EQ(ended.exit, 0) << ended.err;  // it went on after all
    EXPECT_THAT(ended.err,
                AllOf(HasSubstr("no step has ended for 1 s"), HasSubstr("running: out.middle")));
    EXPECT_THAT(read_text(here_ / "run/log.txt"), HasSubstr("running: out.middle"));
  }
}

}  // namespace
}  // namespace weft::tests

// Nobody may be there to read what is said: no training minds, and no result is lost without a
// word.
#include <csignal>

#include "framework/node/error.h"
#include "tests/support/tiny_runs.h"

namespace weft::tests {

using testing::HasSubstr;
using testing::StartsWith;

class Output : public TinyRuns {
 protected:
  Output() { write("vae", tiny_vae()); }

  // A shell's line, in which $weft is the program.
  Ended shell(const std::string& line) const {
    Command command = training("vae", "unused");
    const std::string weft = command.words[0];
    command.words = {"/bin/sh", "-c", line};
    command.environment["weft"] = weft;
    return tests::run(command);
  }
};

TEST_F(Output, ThatNobodyReadsCostsATrainingNothing) {
  ASSERT_EQ(train("vae", "a").exit, 0);
  for (const std::string line :
       {"{ \"$weft\" train vae.yaml -o b --log-every 10; echo $? >code; } 2>&1 | true",
        "\"$weft\" train vae.yaml -o b --log-every 10 2>/dev/full; echo $? >code",
        "\"$weft\" train vae.yaml -o b --log-every 10 0<&- 1>&- 2>&-; echo $? >code"}) {
    SCOPED_TRACE(line);
    std::filesystem::remove_all(folder_ / "b");
    shell(line);
    EXPECT_EQ(text("code"), "0\n");
    EXPECT_EQ(status("b").at("state"), "done");
    EXPECT_EQ(text("b/run.lock").find_first_not_of("0123456789\n"), std::string::npos);
    expect_equal_runs("a", "b");
  }
}

TEST_F(Output, ThatCannotBeWrittenIsNoSuccess) {
  ASSERT_EQ(train("vae", "a").exit, 0);
  for (const std::string words : {"evaluate a --json", "check vae.yaml", "docs", "schema", "nodes",
                                  "version", "data list", "graph vae.yaml"}) {
    SCOPED_TRACE(words);
    const Ended ended = shell("\"$weft\" " + words + " >/dev/full");
    EXPECT_EQ(ended.exit, static_cast<int>(Exit::resources)) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr("No space left on device"));
  }
  EXPECT_EQ(shell("\"$weft\" docs | head -n 1").out, "# Nodes\n");
  for (const std::string words : {"docs", "schema", "nodes"})
    EXPECT_EQ(shell("\"$weft\" " + words + " | true").err, "") << words;
}

// Paths are bytes; what is said of them as JSON is UTF-8.
TEST_F(Output, NamesMayBeOfAnyBytes) {
  EXPECT_EQ(train("vae", "caf\xe9", {"--steps", "7"}).exit, 75);
  EXPECT_EQ(status("caf\xe9").at("state"), "stopped");
  const Ended ended =
      train("vae", "caf\xe9", {"--resume", "auto", "--set", "generate.data={node: caf\xe9}"});
  EXPECT_EQ(ended.exit, 2);
  EXPECT_EQ(train("vae", "caf\xe9", {"--resume", "auto"}).exit, 0);
}

TEST_F(Output, ErrorsThatCannotBeSaidKeepTheirCode) {
  EXPECT_EQ(shell("\"$weft\" train none.yaml 2>/dev/full").exit, 2);
  EXPECT_EQ(shell("\"$weft\" train none.yaml 2>&-").exit, 2);
}

TEST_F(Output, SignalsAreHeardFromTheStart) {
  for (int i = 0; i < 5; ++i) {
    Process process(training("vae", "early" + std::to_string(i)));
    sleep_for(0.05 * i);
    process.signal(SIGTERM);
    const Ended ended = process.wait();
    // The loader of libraries comes before main(), and may be slow beside other load.
    if (ended.signal == SIGTERM && i < 3) continue;
    EXPECT_TRUE(ended.exit == 75 || ended.exit == 0) << ended.exit << " " << ended.signal;
  }
}

// Where more threads are refused than oneTBB can do without, it would end the process.
TEST_F(Output, ThreadsThatAreRefusedAreAMistake) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers need all of the address space";
#endif
  const Ended ended =
      shell("ulimit -v 4000000; \"$weft\" train vae.yaml -o c --threads 4096 --progress none");
  EXPECT_EQ(ended.exit, static_cast<int>(Exit::resources)) << ended.signal;
  EXPECT_THAT(ended.err, HasSubstr("the system refuses to give 4096 threads"));
}

TEST_F(Output, MemoryThatIsRefusedIsAMistake) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers need all of the address space";
#endif
  for (int megabytes = 60; megabytes <= 500; megabytes += 20) {
    const Ended ended = shell("ulimit -v " + std::to_string(megabytes * 1000) +
                              "; \"$weft\" train vae.yaml -o d --overwrite --threads 2 "
                              "--progress none --steps 2");
    const bool loads = ended.err.find("error while loading shared libraries") == std::string::npos;
    if (!loads) continue;
    EXPECT_TRUE(ended.exit == 7 || ended.exit == 75 || ended.exit == 3)
        << megabytes << " MB: " << ended.exit << " " << ended.signal << " " << ended.err;
  }
}

}  // namespace weft::tests

#include "tests/support/kills.h"

#include <algorithm>
#include <csignal>

namespace weft::tests {

namespace {
constexpr int64_t interval = 20;  // steps between checkpoints

std::string with_length(const std::string& pipeline, int64_t steps) {
  const std::string longer = replaced(pipeline, "steps: 60", "steps: " + std::to_string(steps));
  return replaced(longer, "every_steps: 7", "every_steps: " + std::to_string(interval));
}
}  // namespace

// Two of three kills hit the save of this step: while it is written, committed, linked, or while
// older ones are deleted. The others come at any time until the next save.
void Kills::kill_at(Process& process, int64_t step) const {
  const bool in_save = random_seconds(1) < 0.67;
  const std::string writing = ".tmp-" + std::to_string(step) + "-";
  const auto reached = [&] {
    std::error_code missing;
    const auto folder = checkpoint("run", step).parent_path();
    for (std::filesystem::directory_iterator at(folder, missing), end; !missing && at != end;
         at.increment(missing)) {
      const std::string name = at->path().filename();
      if (in_save && name.starts_with(writing)) return true;
      if (step_of(name) >= step) return true;
    }
    return false;
  };
  while (process.running() && !reached()) sleep_for(0.0001);
  sleep_for(random_seconds(in_save ? 0.006 : 0.03));
  if (process.running()) process.signal(SIGKILL);
}

void Kills::survives(const std::string& pipeline, int kills) {
  write("it", with_length(pipeline, interval * (2 * kills + 30)));
  ASSERT_EQ(train("it", "whole").exit, 0);
  for (int i = 0; i < kills; ++i) {
    Process process(
        training("it", "run", {"--resume", "auto", "--threads", std::to_string(1 + i % 4)}));
    kill_at(process, interval * (2 * i + 1));
    const Ended ended = process.wait();
    ASSERT_EQ(ended.signal, SIGKILL) << "kill " << i << ": exit " << ended.exit << "\n"
                                     << ended.err;
  }
  const Ended ended = train("it", "run", {"--resume", "auto"});
  ASSERT_EQ(ended.exit, 0) << ended.err;
  expect_equal_runs("whole", "run");
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "run/checkpoints")) {
    const std::string name = entry.path().filename();
    EXPECT_TRUE(name.starts_with("step-") || name == "last" || name == "best") << name;
  }
}

}  // namespace weft::tests

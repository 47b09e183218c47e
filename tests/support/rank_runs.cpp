#include "tests/support/rank_runs.h"

namespace weft::tests {

namespace {
// In a box without a terminal, perhaps as root, on fewer cores than processes.
const std::map<std::string, std::string> surroundings{{"OMPI_ALLOW_RUN_AS_ROOT", "1"},
                                                      {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"},
                                                      {"PRTE_ALLOW_RUN_AS_ROOT", "1"},
                                                      {"PRTE_ALLOW_RUN_AS_ROOT_CONFIRM", "1"}};

const Words mpirun{"/usr/bin/env", "mpirun", "--oversubscribe", "--bind-to", "none"};

std::filesystem::path library() {
  return program("weft").parent_path().parent_path() / "lib/weft/libweft_mpi.so";
}
}  // namespace

void RankRuns::SetUp() {
  if (!std::filesystem::exists(library())) GTEST_SKIP() << "weft was built without MPI";
  if (run({{"/bin/sh", "-c", "command -v mpirun"}}).exit != 0)
    GTEST_SKIP() << "there is no mpirun: apt install openmpi-bin";
}

Command RankRuns::training(int count, const std::string& name, const std::string& run,
                           const Words& more) const {
  Command command = TinyRuns::training(name, run, with(more, {"--threads", "1"}));
  const Words words = with(mpirun, {"-n", std::to_string(count)});
  command.words.insert(command.words.begin(), words.begin(), words.end());
  command.environment.insert(surroundings.begin(), surroundings.end());
  return command;
}

Command RankRuns::unlike(const Words& first, const Words& second) const {
  Command command = TinyRuns::command({});
  command.words = mpirun;
  command.environment.insert(surroundings.begin(), surroundings.end());
  for (const Words* words : {&first, &second}) {
    if (words == &second) command.words.emplace_back(":");
    command.words.insert(command.words.end(), {"-n", "1"});
    command.words.insert(command.words.end(), words->begin(), words->end());
  }
  return command;
}

pid_t RankRuns::process(Process& mpirun, const std::string& run, int rank) const {
  await_training(mpirun, run);
  const std::string mark = "PMIX_RANK=" + std::to_string(rank) + '\0';
  const std::filesystem::path weft = program("weft");
  for (bool runs = true; runs; runs = mpirun.running(), sleep_for(0.002))
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      std::error_code gone;
      const std::filesystem::path here = std::filesystem::read_symlink(entry.path() / "cwd", gone);
      if (gone || here != std::filesystem::canonical(folder_.path())) continue;
      if (std::filesystem::read_symlink(entry.path() / "exe", gone) != weft) continue;
      if (read_text(entry.path() / "environ").find(mark) != std::string::npos)
        return std::stoi(entry.path().filename());
    }
  return -1;
}

}  // namespace weft::tests

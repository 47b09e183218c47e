// Runs of small pipelines that several processes share, started by mpirun.
#pragma once

#include "tests/support/tiny_runs.h"

namespace weft::tests {

inline Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

class RankRuns : public TinyRuns {
 protected:
  void SetUp() override;  // skips the test where there is no Open MPI
  // `mpirun -n COUNT weft train NAME.yaml -o RUN …`, with one thread for each process.
  Command training(int count, const std::string& name, const std::string& run,
                   const Words& more = {}) const;
  Ended train(int count, const std::string& name, const std::string& run,
              const Words& more = {}) const {
    return tests::run(training(count, name, run, more));
  }
  // `mpirun -n 1 FIRST : -n 1 SECOND`, each of which is `weft WORDS`.
  Command unlike(const Words& first, const Words& second) const;
  // The process of this rank, once the run is in its training.
  pid_t process(Process& mpirun, const std::string& run, int rank) const;
};

}  // namespace weft::tests

// Whole runs of small pipelines through the program, in a folder of their own.
#pragma once

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"
#include "tests/support/tiny_pipelines.h"

namespace weft::tests {

using Words = std::vector<std::string>;

class TinyRuns : public testing::Test {
 protected:
  // The folder holds data/: of tiny_idx.h, side 8, 200 images, and 40 to test; train.txt and
  // test.txt of as many lines. Vocabularies lie there too.
  TinyRuns();

  // Writes NAME.yaml.
  void write(const std::string& name, const std::string& pipeline) const;
  Command command(Words words) const;  // `weft WORDS` in the folder
  Ended weft(const Words& words) const { return run(command(words)); }
  // `weft train NAME.yaml -o RUN …`, with a line of metrics every 10 steps.
  Command training(const std::string& name, const std::string& run, const Words& more = {}) const;
  Ended train(const std::string& name, const std::string& run, const Words& more = {}) const {
    return tests::run(training(name, run, more));
  }

  std::filesystem::path checkpoint(const std::string& run, int64_t step) const;
  // The checkpoint that the link `last` names.
  std::filesystem::path last(const std::string& run) const;
  std::string text(const std::string& path) const { return read_text(folder_ / path); }
  nlohmann::json status(const std::string& run) const;
  std::vector<nlohmann::json> metrics(const std::string& run) const;

  // The last checkpoints and the metrics are the same, byte for byte.
  void expect_equal_runs(const std::string& a, const std::string& b) const;
  // Until the run is in its training, where signals are heard.
  void await_training(Process& process, const std::string& run) const;

  TemporaryDirectory folder_;
};

// Of "step-000000000400", or -1.
int64_t step_of(const std::filesystem::path& checkpoint);
// Changes a byte in the middle of a file.
void damage(const std::filesystem::path& file);

double random_seconds(double most);

}  // namespace weft::tests

#include "tests/support/twin.h"

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "framework/node/error.h"
#include "tests/support/program.h"
#include "tests/support/text_file.h"

namespace weft::tests {

namespace {
// `./dev` names the Python whose PyTorch is newest.
const std::string python = std::getenv("WEFT_PYTHON") ? std::getenv("WEFT_PYTHON") : "python3";

bool has_torch() {
  return run({{python, "-c", "import numpy, torch"}}).exit == 0;
}

using Words = std::vector<std::string>;

Ended run_in(const TemporaryDirectory& folder, Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return run({words, folder.path(), {}, 600});
}
}  // namespace

void Twin::train(const std::string& name, int steps) {
  const Ended ended =
      run({{program("weft"), "train", std::string(SOURCE_DIR "/pipelines/") + name + ".yaml", "-o",
            name, "--steps", std::to_string(steps)},
           folder_.path(),
           {},
           600});
  if (ended.exit == static_cast<int>(Exit::data)) GTEST_SKIP() << ended.err;
  ASSERT_EQ(ended.exit, static_cast<int>(Exit::stopped)) << ended.err;
}

void Twin::agree(const std::string& name, const std::vector<std::string>& losses, int steps,
                 double tolerance, const std::vector<std::string>& our_args,
                 const std::vector<std::string>& their_args) {
  const std::filesystem::path source = SOURCE_DIR;
  if (!has_torch()) GTEST_SKIP() << python << " has no PyTorch (package python3-torch)";
  const Ended ours = run_in(folder_,
                            {program("weft"), "train", source / ("pipelines/" + name + ".yaml"),
                             "-o", "run", "--steps", std::to_string(steps), "--log-every", "1"},
                            our_args);
  if (ours.exit == static_cast<int>(Exit::data)) GTEST_SKIP() << ours.err;
  ASSERT_EQ(ours.exit, static_cast<int>(Exit::stopped)) << ours.err;
  const Ended theirs = run_in(folder_,
                              {python, source / ("tests/twins/" + name + ".py"), "--steps",
                               std::to_string(steps), "--losses", folder_ / "losses.txt"},
                              their_args);
  ASSERT_EQ(theirs.exit, 0) << theirs.err;

  std::istringstream our_lines(read_text(folder_ / "run/metrics.jsonl"));
  std::istringstream their_lines(read_text(folder_ / "losses.txt"));
  std::string line;
  for (int step = 0; step < steps; ++step) {
    do ASSERT_TRUE(std::getline(our_lines, line)) << "step " << step;
    while (line.find("\"evaluate\":") != std::string::npos);
    const auto our = nlohmann::json::parse(line);
    int their_step = -1;
    ASSERT_TRUE(their_lines >> their_step) << "step " << step;
    ASSERT_EQ(our.at("step"), their_step + 1);
    for (const std::string& loss : losses) {
      double value = NAN;
      ASSERT_TRUE(their_lines >> value) << loss << " of step " << step;
      ASSERT_NEAR(our.at(loss).get<double>(), value, tolerance * std::abs(value))
          << loss << " of step " << step;
    }
  }
}

void Twin::agree_on(const std::string& number, const std::string& name, const std::string& script,
                    double tolerance, const std::vector<std::string>& our_args,
                    const std::vector<std::string>& their_args) {
  const std::filesystem::path source = SOURCE_DIR;
  if (!has_torch()) GTEST_SKIP() << python << " has no PyTorch (package python3-torch)";
  const Ended ours = run_in(
      folder_, {program("weft"), "evaluate", source / ("pipelines/" + name + ".yaml"), "--json"},
      our_args);
  ASSERT_EQ(ours.exit, 0) << ours.err;
  const Ended theirs = run_in(folder_, {python, source / ("tests/twins/" + script)}, their_args);
  ASSERT_EQ(theirs.exit, 0) << theirs.err;
  std::istringstream words(theirs.out);
  for (std::string word; words >> word && word != number;) continue;
  double value = NAN;
  ASSERT_TRUE(words >> value) << theirs.out;
  ASSERT_NEAR(nlohmann::json::parse(ours.out).at(number).get<double>(), value,
              tolerance * std::abs(value));
}

}  // namespace weft::tests

// The schema for editors, in a validator that editors use: npm's ajv, draft 2020-12.
#include <gmock/gmock.h>
#include <unistd.h>

#include <span>
#include <sstream>

#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"

namespace weft::tests {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

namespace {
struct Slip {
  const char *name, *from, *to;
};

// Mistakes in the pipeline below, and texts of it that are none.
const Slip slips[] = {
    {"a kind misspelt", "node: bce_with_logits", "node: bce_with_logit"},
    {"a source misspelt", "node: fashion_mnist", "node: fashion_mnis"},
    {"an optimizer misspelt", "node: adam", "node: adamm"},
    {"a kind of another role", "node: adam", "node: linear"},
    {"a port misspelt", "target: data.image", "targets: data.image"},
    {"a port left out", ", target: data.image", ""},
    {"a param misspelt", "features: 8", "feature: 8"},
    {"a param of another type", "features: 8", "features: eight"},
    {"a param below its range", "features: 8", "features: 0"},
    {"a word that is no choice", "activation: relu", "activation: rely"},
    {"a section misspelt", "train:", "trian:"},
    {"a key misspelt", "epochs: 1", "epoch: 1"},
    {"a section that is a word", "evaluate: {data: {split: test}, report: [loss]}",
     "evaluate: all"},
    {"data that are a word", "data: {split: test}", "data: test"},
    {"nothing to report", ", report: [loss]", ""},
    {"no version", "weft: 1\n", ""},
    {"another version", "weft: 1\n", "weft: 2\n"},
    {"a phase without a loss", "minimize: loss, ", ""},
    {"a schedule where none may be", "features: 8", "features: {schedule: linear, from: 1, to: 2}"},
    {"a schedule without its end", "lr: 1e-3", "lr: {schedule: linear, from: 1}"},
};
const Slip sound[] = {
    {"as it is", "name", "name"},
    {"a variable", "features: 8", "features: $width"},
    {"a schedule", "lr: 1e-3", "lr: {schedule: linear, from: 1, to: 0}"},
    {"a fragment of a plugin", "node: linear, x: x, features: 8, activation: relu",
     "node: mlp, x: x, widths: [8]"},
    {"a fragment of its own", "name: tried\n",
     "name: tried\nfragments: {mine: {inputs: [x], nodes: {y: {node: relu, x: x}}, outputs: {y: "
     "y}}}\n"
     "modules: {other: {inputs: [x], nodes: {y: {node: mine, x: x}}, outputs: {y: y}}}\n"},
    {"another's plugin", "name: tried\n",
     "name: tried\nplugins: [x.so]\nmodules: {other: {inputs: [x], nodes: {y: {node: theirs, x: "
     "x}}, outputs: {y: y}}}\n"},
};
const char* const text = R"(weft: 1
name: tried
modules_:
  net:
    inputs: [x]
    nodes:
      h: {node: linear, x: x, features: 8, activation: relu}
      y: {node: linear, x: h, features: 784}
    outputs: {y: y}
train:
  data: {node: fashion_mnist, split: train, batch: 8}
  nodes:
    y:    {use: net, x: data.image}
    loss: {node: bce_with_logits, x: y, target: data.image}
  phases:
    - {minimize: loss, update: net, optimizer: {node: adam, lr: 1e-3}}
  epochs: 1
evaluate: {data: {split: test}, report: [loss]}
)";

std::string with(const Slip& slip) {
  std::string changed = text;
  changed.replace(changed.find(slip.from), std::string(slip.from).size(), slip.to);
  const bool own = changed.find("modules: ") != std::string::npos;
  changed.replace(changed.find("modules_:"), 9, own ? "vars:" : "modules:");
  return changed;
}
}  // namespace

class Schema : public testing::Test {
 protected:
  void SetUp() override {
    const std::string why = install();
    if (!why.empty()) GTEST_SKIP() << "npm did not install ajv: " << why;
    const Ended schema = run({{program("weft"), "schema"}});
    ASSERT_EQ(schema.exit, 0) << schema.err;
    write_text(folder_ / "schema.json", schema.out);
  }

  // The validator's packages appear whole: other tests may install them at the same time.
  static std::string install() {
    const fs::path packages = PACKAGES, own = PACKAGES "-" + std::to_string(getpid());
    if (fs::exists(packages)) return "";
    const Ended npm =
        run({.words = {"/usr/bin/env", "npm", "install", "--silent", "--no-audit",
                       "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000",
                       "--no-fund", "--prefix", own.string(), "ajv@8", "yaml@2"},
             .seconds = 300});
    std::error_code taken;
    if (npm.exit == 0) fs::rename(own, packages, taken);
    fs::remove_all(own, taken);
    return npm.exit == 0 ? "" : npm.err + "exit " + std::to_string(npm.exit);
  }

  // "yes …" or "no …" of each file.
  std::vector<std::string> validate(const std::vector<std::string>& files) const {
    Command command{.words = {"/usr/bin/env", "node", VALIDATOR, folder_ / "schema.json"},
                    .environment = {{"NODE_PATH", PACKAGES "/node_modules"}},
                    .seconds = 120};
    command.words.insert(command.words.end(), files.begin(), files.end());
    const Ended ended = run(command);
    EXPECT_EQ(ended.exit, 0) << ended.err;
    std::vector<std::string> lines;
    std::istringstream in(ended.out);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    EXPECT_EQ(lines.size(), files.size());
    lines.resize(files.size());
    return lines;
  }

  std::vector<std::string> validate_texts(std::span<const Slip> all) const {
    std::vector<std::string> files;
    for (const Slip& slip : all) {
      files.push_back(folder_ / (std::to_string(files.size()) + ".yaml"));
      write_text(files.back(), with(slip));
    }
    return validate(files);
  }

  TemporaryDirectory folder_;
};

TEST_F(Schema, TakesEveryPipeline) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(SOURCE_DIR "/pipelines"))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  ASSERT_GE(files.size(), 20U);
  for (const std::string& line : validate(files)) EXPECT_THAT(line, StartsWith("yes "));
}

TEST_F(Schema, RefusesWhatIsAMistake) {
  const auto lines = validate_texts(slips);
  for (size_t i = 0; i < lines.size(); ++i)
    EXPECT_THAT(lines[i], StartsWith("no ")) << slips[i].name;
}

TEST_F(Schema, TakesWhatIsNone) {
  const auto lines = validate_texts(sound);
  for (size_t i = 0; i < lines.size(); ++i)
    EXPECT_THAT(lines[i], StartsWith("yes ")) << sound[i].name;
}

// What is missing may be in the file that is included; what is there is looked at all the same.
TEST_F(Schema, OfAFileThatAddsToAnother) {
  write_text(
      folder_ / "good.yaml",
      "include: other.yaml\ntrain: {phases: null, nodes: {loss: {target: x, reduce: mean}}}\n");
  write_text(folder_ / "bad.yaml",
             "include: other.yaml\ntrain: {nodes: {h: {node: linear, feature: 3}}}\n");
  const auto lines = validate({folder_ / "good.yaml", folder_ / "bad.yaml"});
  EXPECT_THAT(lines[0], StartsWith("yes "));
  EXPECT_THAT(lines[1], StartsWith("no "));
}

}  // namespace weft::tests

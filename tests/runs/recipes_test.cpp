// Every block of docs/recipes.md, put into a small pipeline: checked and trained, and what it
// evaluates and generates too.
#include <gmock/gmock.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "framework/node/error.h"
#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"
#include "tests/support/tiny_idx.h"

namespace weft::tests {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;
using Parts = std::map<std::string, Lines>;  // a key of the block, and its lines

const Lines of_file{"vars", "modules", "fragments", "evaluate", "generate"};
const Lines of_train{"data", "nodes", "phases", "steps", "epochs", "save"};
const Lines modules{"encoder",   "classifier", "posterior", "decoder",
                    "generator", "critic",     "field"};  // of recipes/base.yaml

struct Recipe {
  std::string title;
  Lines lines;
};

// What is indented is a block, of the sentence in ** before it.
std::vector<Recipe> read_recipes() {
  std::vector<Recipe> all;
  std::string title;
  bool open = false;
  std::istringstream page(read_text(SOURCE_DIR "/docs/recipes.md"));
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("**")) title = line.substr(2, line.find("**", 2) - 2);
    const bool indented = line.starts_with("    ");
    if (indented && !open) all.push_back({title, {}});
    if (indented) all.back().lines.push_back(line.substr(4));
    open = indented;
  }
  return all;
}

std::string joined(const Lines& lines, const std::string& between, const std::string& before = "") {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : between) + before + line;
  return text;
}
std::string indented(const Lines& lines, int by) {
  return lines.empty() ? "" : joined(lines, "\n", std::string(by, ' ')) + '\n';
}
bool holds(const std::string& text, const std::string& pattern) {
  return std::regex_search(text, std::regex(pattern));
}
bool among(const Lines& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Parts parts_of(const Lines& lines) {
  Parts parts;
  std::string key;
  for (const std::string& line : lines) {
    if (line.starts_with("#")) continue;
    if (!line.starts_with(" ")) key = line.substr(0, line.find(':'));
    parts[key].push_back(line);
  }
  const bool named = std::any_of(parts.begin(), parts.end(), [](const auto& part) {
    return among(of_file, part.first) || among(of_train, part.first);
  });
  if (named) return parts;
  Lines nodes{"nodes:"};
  for (const std::string& line : lines)
    if (!line.starts_with("#")) nodes.push_back("  " + line);
  return {{"nodes", nodes}};
}

// Of "  name: {…}".
Lines names_of(const Lines& nodes) {
  Lines names;
  for (const std::string& node : nodes)
    if (holds(node, "^  \\w+:")) names.push_back(node.substr(2, node.find(':') - 2));
  return names;
}

// The nodes that no other reads.
Lines ends_of(const Lines& nodes) {
  const std::string text =
      std::regex_replace(joined(nodes, "\n"), std::regex("node: \\w+|^  \\w+:|\n  \\w+:"), "");
  Lines ends;
  for (const std::string& name : names_of(nodes))
    if (!holds(text, "(^|[^.\\w])" + name + "\\b(?!:)")) ends.push_back(name);
  return ends;
}

// `nodes` as a module `mine`, which they become a use of.
std::string as_module(Lines& nodes) {
  Lines inputs, wires, outputs, means;
  for (const std::string input : {"h", "noise", "tokens"})
    if (holds(joined(nodes, "\n"), ": " + input + "\\b")) {
      inputs.push_back(input);
      wires.push_back(input + ": " + input);
    }
  Lines use{"  mine: {use: mine, " + joined(wires, ", ") + "}"};
  for (const std::string& end : ends_of(nodes)) {
    outputs.push_back(end + ": " + end);
    means.push_back("mean_" + end);
    use.push_back("  mean_" + end + ": {node: mean, x: mine." + end + "}");
  }
  use.push_back("  loss: {node: average, xs: [" + joined(means, ", ") + "]}");
  const std::string module = "modules:\n  mine:\n    inputs: [" + joined(inputs, ", ") +
                             "]\n    nodes:\n" + indented(nodes, 4) + "    outputs: {" +
                             joined(outputs, ", ") + "}\n";
  nodes = use;
  return module;
}

// The phases of the block, or one for its loss; and one for all other modules.
std::string phases_of(const Parts& parts, const Lines& others, const std::string& loss) {
  const std::string rest = "{minimize: " + loss + ", update: [" + joined(others, ", ") +
                           "], optimizer: {node: sgd, lr: 1e-6}}";
  const auto found = parts.find("phases");
  if (found == parts.end()) return "  phases: [" + rest + "]\n";
  Lines phases = found->second;
  if (phases.size() > 1) return indented(phases, 2) + "    - " + rest + "\n";
  return "  " + phases[0].insert(phases[0].rfind(']'), ", " + rest) + "\n";
}

std::string pipeline_of(const Recipe& recipe) {
  const Parts parts = parts_of(recipe.lines);
  const std::string block = joined(recipe.lines, "\n");
  Lines nodes, others;
  if (parts.contains("nodes")) nodes.assign(parts.at("nodes").begin() + 1, parts.at("nodes").end());
  std::string text = "weft: 1\nname: recipe\ninclude: base.yaml\n";
  const bool in_a_module = block.starts_with("# in a module\n");
  if (in_a_module) text += as_module(nodes);
  for (const std::string& key : of_file)
    if (parts.contains(key)) text += indented(parts.at(key), 0);

  const bool own_loss = among(names_of(nodes), "loss"), phases = parts.contains("phases");
  Lines report = ends_of(nodes);
  std::erase(report, "loss");
  report.push_back("tokens");
  if (own_loss && !phases) nodes.push_back("  both: {node: add, a: base, b: loss}");
  if (!own_loss && holds(block, "(minimize|best): loss\\b"))
    nodes.push_back("  loss: {node: scale, x: base, by: 1}");
  if (nodes.empty() && !parts.contains("data")) return text;
  text += "train:\n  report: [" + joined(report, ", ") +
          "]\n  nodes:" + (nodes.empty() ? " {}\n" : "\n" + indented(nodes, 2));
  for (const std::string& key : of_train)
    if (key != "nodes" && key != "phases" && parts.contains(key))
      text += indented(parts.at(key), 2);
  for (const std::string& module : modules)
    if (!holds(block, "update:.*\\b" + module + "\\b")) others.push_back(module);
  if (in_a_module) others.push_back("mine");
  if (own_loss || phases) text += phases_of(parts, others, own_loss && !phases ? "both" : "base");
  return text;
}

class Recipes : public testing::TestWithParam<Recipe> {
 protected:
  Recipes() {
    write_tiny_idx(here_.path());
    write_text(here_ / "houses.csv", "area,rooms\n50,2\n80,3\n20,1\n70,3\n");
    fs::copy(SOURCE_DIR "/tests/runs/recipes/base.yaml", here_.path());
    fs::create_directory(here_ / "data");  // the data sets, but vocabularies of its own
    if (const char* dir = std::getenv("WEFT_DATA_DIR"); dir && fs::is_directory(dir))
      for (const auto& set : fs::directory_iterator(dir))
        if (set.path().filename() != "vocabularies")
          fs::create_symlink(fs::absolute(set.path()), here_ / "data" / set.path().filename());
  }
  Ended weft(Lines words) const {
    words.insert(words.begin(), program("weft"));
    return run({words, here_.path(), {{"WEFT_DATA_DIR", here_ / "data"}}, 300});
  }

  TemporaryDirectory here_;
};

TEST_P(Recipes, Work) {
  const std::string text = pipeline_of(GetParam());
  SCOPED_TRACE(text);
  write_text(here_ / "recipe.yaml", text);
  if (text.find("runs/base") != std::string::npos) {
    ASSERT_EQ(weft({"train", "base.yaml", "--steps", "1"}).exit, static_cast<int>(Exit::stopped));
  }
  const Ended check = weft({"check", "recipe.yaml"});
  if (check.exit == static_cast<int>(Exit::data)) GTEST_SKIP() << check.err;
  ASSERT_EQ(check.exit, 0) << check.err;
  const Ended train = weft({"train", "recipe.yaml", "--steps", "2"});
  ASSERT_THAT(train.exit, testing::AnyOf(0, static_cast<int>(Exit::stopped))) << train.err;
  for (const std::string section : {"evaluate", "generate"}) {
    if (text.find("\n" + section + ":") == std::string::npos) continue;
    const Ended ended = weft({section, "runs/recipe"});
    EXPECT_EQ(ended.exit, 0) << ended.err;
  }
}

// "Learn a number, or a token." -> "LearnANumberOrAToken"
std::string name_of(const std::string& title) {
  std::string name;
  bool starts = true;
  for (const char c : title) {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (letter) name += static_cast<char>(starts ? std::toupper(c) : c);
    starts = !letter;
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, Recipes, testing::ValuesIn(read_recipes()),
                         [](const auto& info) { return name_of(info.param.title); });

}  // namespace
}  // namespace weft::tests

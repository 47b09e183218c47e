#include "framework/graph/print.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "framework/plugin/loader.h"
#include "tests/support/temporary_directory.h"

namespace weft {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

// Two uses of one module: the second shares 4 × 300 + 300 numbers.
constexpr const char* twins = R"(
weft: 1
name: twins
modules:
  body:
    inputs: [x]
    nodes:
      h: {node: linear, x: x, features: 300}
    outputs: {h: h}
train:
  nodes:
    a:      {node: normal, shape: [64, 4]}
    left:   {use: body, x: a}
    right:  {use: body, x: left_in}
    left_in: {node: scale, x: a, by: 2}
    loss:   {node: mse, x: left.h, target: right.h}
  phases:
    - name: meet
      minimize: loss
      update: body
      optimizer: {node: sgd, lr: {schedule: linear, from: 0.5, to: 0.25, warmup: 10}}
      groups: [{match: "*.bias", lr: 0.125}]
      clip: 2
  steps: 1234
)";

struct Planned {
  Registry registry = load_plugins(plugin_search());
  Mistakes mistakes;
  Pipeline pipeline = Pipeline::parse(twins, "twins.yaml", {}, mistakes);
  std::unique_ptr<Plan> plan = Plan::build(pipeline, registry, Mode::train, mistakes);
  Planned() { mistakes.check(); }
};

std::string line_with(const std::string& text, const std::string& word) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.find(word) != std::string::npos) return line;
  return "";
}

TEST(Print, ShowsShapesParametersAndSharing) {
  const std::string text = print(*Planned().plan);
  EXPECT_EQ(text.rfind("train — pipeline twins\n", 0), 0U);
  EXPECT_THAT(line_with(text, "left.h "), HasSubstr("linear  [64, 300]       1,500   0.15"));
  EXPECT_THAT(line_with(text, "right.h "), HasSubstr("shared"));
  EXPECT_THAT(text, ContainsRegex("parameters +1,500\n"));
  EXPECT_THAT(text, HasSubstr("1,234 steps"));
  EXPECT_THAT(text, HasSubstr("64 rows in 1 lane"));
}

TEST(Print, ShowsWhatAPhaseDoes) {
  const std::string text = print(*Planned().plan);
  EXPECT_THAT(line_with(text, "  meet "), HasSubstr("loss       body     *.bias: sgd, lr 0.125"));
  EXPECT_THAT(text, HasSubstr("sgd, lr linear 0.5 → 0.25, warm-up 10\n"));
  EXPECT_THAT(text, HasSubstr("gradient norm ≤ 2\n"));
}

TEST(Print, AddsUpMemory) {
  const Planned planned;
  const std::string text = print(*planned.plan);
  double parts = 0;
  for (const char* part :
       {"  arena ", "  workspaces ", "  weights ", "  gradients ", "  optimizer slots "}) {
    const std::string line = line_with(text, part);
    if (!line.empty())
      parts += std::strtod(line.c_str() + line.find(part) + std::strlen(part), nullptr);
  }
  EXPECT_NEAR(parts, static_cast<double>(planned.plan->bytes()) / (1 << 20), 0.02);
}

TEST(PrintDot, DrawsEveryUseWithShapesOnEdges) {
  const Planned planned;
  const std::string dot = print_dot(*planned.plan, planned.pipeline);
  EXPECT_THAT(dot, HasSubstr("<B>body</B>"));
  EXPECT_THAT(dot, HasSubstr(">left<"));
  EXPECT_THAT(dot, HasSubstr(">right<"));
  EXPECT_THAT(dot, HasSubstr("[64, 300]"));
  EXPECT_THAT(dot, HasSubstr(">meet<"));
  size_t edges = 0, readers = 0;
  for (size_t at = dot.find(" -> "); at != std::string::npos; at = dot.find(" -> ", at + 1))
    ++edges;
  for (const PlanValue& value : planned.plan->values) readers += value.readers.size();
  EXPECT_EQ(edges, readers);
}

class Svg : public testing::Test {
 protected:
  TemporaryDirectory directory;
  std::filesystem::path file = directory / "graph.svg";
};

TEST_F(Svg, IsDrawn) {
  try {
    write_svg("digraph g { a -> b }", file);
  } catch (const Error& error) {
    if (std::string(error.what()).find("not installed") != std::string::npos)
      GTEST_SKIP() << error.what();
    throw;
  }
  std::ifstream in(file);
  EXPECT_THAT(std::string(std::istreambuf_iterator<char>(in), {}), HasSubstr("</svg>"));
}

TEST_F(Svg, NamesThePackageThatIsMissing) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nowhere", 1);
  std::string said;
  try {
    write_svg("digraph g {}", file);
  } catch (const Error& error) {
    said = error.what();
  }
  setenv("PATH", path.c_str(), 1);
  EXPECT_THAT(said, HasSubstr("install the package graphviz"));
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_FALSE(std::filesystem::exists(file.string() + ".unfinished"));
}

TEST_F(Svg, LeavesNothingOfAGraphThatIsNone) {
  EXPECT_THROW(write_svg("no graph {", file), Error);
  EXPECT_FALSE(std::filesystem::exists(file));
}

}  // namespace
}  // namespace weft

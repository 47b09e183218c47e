#include "framework/print/plan_text.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <cstring>
#include <sstream>

#include "framework/plan/build_plan.h"
#include "framework/plugin/loader.h"
#include "framework/print/plan_dot.h"
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
      clip_weights: 0.5
  steps: 1234
)";

struct Planned {
  Registry registry = load_plugins(plugin_search());
  Mistakes mistakes;
  Pipeline pipeline = Pipeline::parse(twins, "twins.yaml", {}, mistakes);
  std::unique_ptr<const Plan> plan = build_plan(pipeline, registry, Mode::train, {}, mistakes);
  Planned() { mistakes.check(); }
};

std::string line_with(const std::string& text, const std::string& word) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.find(word) != std::string::npos) return line;
  return "";
}

TEST(Print, ShowsShapesParametersAndSharing) {
  const std::string text = plan_text(*Planned().plan);
  EXPECT_EQ(text.rfind("train — pipeline twins\n", 0), 0U);
  EXPECT_THAT(line_with(text, "left.h "), HasSubstr("linear  [64, 300]       1,500   0.15"));
  EXPECT_THAT(line_with(text, "right.h "), HasSubstr("shared"));
  EXPECT_THAT(text, ContainsRegex("parameters +1,500\n"));
  EXPECT_THAT(text, HasSubstr("1,234 steps"));
  EXPECT_THAT(text, HasSubstr("64 rows in 1 lane"));
}

TEST(Print, ShowsWhatAPhaseDoes) {
  const std::string text = plan_text(*Planned().plan);
  EXPECT_THAT(line_with(text, "  meet "), HasSubstr("loss       body     *.bias: sgd, lr 0.125"));
  EXPECT_THAT(text, HasSubstr("sgd, lr linear 0.5 → 0.25, warm-up 10\n"));
  EXPECT_THAT(text, HasSubstr("gradient norm ≤ 2, weights within ±0.5\n"));
}

TEST(Print, AddsUpMemory) {
  const Planned planned;
  const std::string text = plan_text(*planned.plan);
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
  const std::string dot = plan_dot(*planned.plan, planned.pipeline);
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

}  // namespace
}  // namespace weft

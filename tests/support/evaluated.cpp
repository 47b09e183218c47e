#include "tests/support/evaluated.h"

#include "framework/run/engine.h"
#include "tests/support/lone_node.h"

namespace weft::tests {

std::unique_ptr<const Plan> planned(const std::string& text, Mode mode) {
  Mistakes mistakes;
  const Pipeline pipeline = Pipeline::parse("weft: 1\n" + text, "pipeline.yaml", {}, mistakes);
  auto plan = build_plan(pipeline, standard_nodes(), mode, {{}, 1}, mistakes);
  mistakes.check();
  return plan;
}

std::vector<double> evaluated(const std::string& text, const std::string& report, int lanes,
                              bool check) {
  const auto plan = planned(
      text + "  report: " + report + "\n  lanes: " + std::to_string(lanes) + "\n", Mode::evaluate);
  Weights model;
  model.add(*plan);
  Engine engine(*plan, standard_nodes(), model, {.threads = 2, .check = check});
  engine.begin_pass();
  engine.step(0, 0);
  return engine.report(0);
}

}  // namespace weft::tests

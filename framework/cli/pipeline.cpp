// weft check, weft graph: what starts from a pipeline file
#include <fmt/core.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "framework/cli/commands.h"
#include "framework/cli/shipped.h"
#include "framework/cli/svg.h"
#include "framework/plan/build_plan.h"
#include "framework/plugin/loader.h"
#include "framework/print/plan_dot.h"
#include "framework/print/plan_text.h"
#include "framework/run/durable_files.h"
#include "framework/run/transfer.h"

namespace weft::cli {

Registry load_plugins_for(const Pipeline& pipeline) {
  std::vector<PluginPath> extra;
  for (const Mention& plugin : pipeline.plugins) {
    const auto beside = std::filesystem::path(pipeline.file).parent_path() / plugin.text;
    extra.push_back({beside, plugin.place});
  }
  return load_plugins(plugin_search(extra));
}

Planned::Planned(const std::string& file, const std::vector<std::string>& sets, Mode mode) {
  Mistakes mistakes;
  pipeline = read_pipeline(file, sets, mistakes);
  registry = load_plugins_for(pipeline);
  const Known known{fitted_of_modules(pipeline, pipeline.train.has_value())};
  plan = build_plan(pipeline, registry, mode, known, mistakes);
  mistakes.check();
}

Mode mode_of(const std::string& section) {
  return section == "evaluate"   ? Mode::evaluate
         : section == "generate" ? Mode::generate
                                 : Mode::train;
}

Exit check(const std::string& file, const std::vector<std::string>& sets) {
  Mistakes mistakes;
  Pipeline pipeline = read_pipeline(file, sets, mistakes);
  const Registry registry = load_plugins_for(pipeline);
  const Known known{fitted_of_modules(pipeline, pipeline.train.has_value())};
  const auto plans = build_plans(pipeline, registry, known, mistakes);
  if (mistakes.empty()) check_transferred(pipeline, mistakes);
  mistakes.check();
  for (const auto& plan : plans) fmt::print("{}", plan_text(*plan));
  return Exit::done;
}

Exit graph(const std::string& file, const std::vector<std::string>& sets, const std::string& output,
           const std::string& section) {
  const Planned planned(file, sets, mode_of(section));
  const std::string dot = plan_dot(*planned.plan, planned.pipeline);
  const auto kind = std::filesystem::path(output).extension();
  if (output.empty()) return fmt::print("{}", dot), Exit::done;
  if (kind == ".dot") return write_atomically(output, dot), Exit::done;
  if (kind != ".svg") throw Error("-o must end in .svg or .dot, not `" + output + "`");
  write_svg(dot, output);
  return Exit::done;
}

}  // namespace weft::cli

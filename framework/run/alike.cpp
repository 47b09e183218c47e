#include "framework/run/alike.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <xxhash.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "framework/node/dnn.h"
#include "framework/node/plugin.h"
#include "framework/plugin/loader.h"
#include "framework/run/resume_rules.h"

namespace weft {

namespace {
using Json = nlohmann::json;

std::string print_of(const void* data, size_t bytes) {
  return fmt::format("{:016x}", XXH3_64bits(data, bytes));
}

std::string print_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  return print_of(bytes.data(), bytes.size());
}

// The numbers of samples, evenly spread: of up to 1,000, and no more than 16 MiB.
std::string print_of(const Source& source) {
  int64_t numbers_of_one = 1;
  for (const Out* out : source.host().outs) numbers_of_one += out->row_size();
  constexpr int64_t most = 1000, most_numbers = 4 << 20;
  const int64_t count =
      std::min({source.samples(), most, std::max<int64_t>(most_numbers / numbers_of_one, 1)});
  std::vector<std::vector<std::byte>> memory;
  std::vector<Tensor> rows;
  for (const Out* out : source.host().outs) {
    const Shape shape = out->shape().with_front(1);
    memory.emplace_back(static_cast<size_t>(shape.elements()) * bytes(out->dtype()));
    rows.push_back({shape, out->dtype(), memory.back().data()});
  }
  std::string all = std::to_string(source.samples());
  for (int64_t i = 0; i < count; ++i) {
    source.load(i * source.samples() / count, {rows.data(), 0});
    for (const auto& numbers : memory) all += print_of(numbers.data(), numbers.size());
  }
  return fmt::format("{} samples, {}", source.samples(), print_of(all.data(), all.size()));
}
}  // namespace

Json program_print(const Registry& registry) {
  Json print{{"weft", build_string()},
             {"oneDNN", dnn_version()},
             {"instruction set", dnn_isa()},
             {"the program", print_of(std::filesystem::path("/proc/self/exe"))}};
  for (const Plugin& plugin : registry.plugins())
    print["plugin " + plugin.name] = plugin.version + ", " + print_of(plugin.file);
  return print;
}

Json data_print(const Plan& plan) {
  Json print{{"steps", plan.steps}, {"lanes", plan.lanes}};
  for (const PlanNode& node : plan.nodes)
    if (const auto* source = dynamic_cast<const Source*>(node.node.get()))
      print["data of `" + node.path + "`"] = print_of(*source);
  for (const auto& [name, fitted] : *plan.fitted)
    print[name] = print_of(fitted.bytes->data(), fitted.bytes->size());
  return print;
}

void check_alike(Ranks& ranks, const Json& prints) {
  const Json first = Json::parse(ranks.first(prints.dump()));
  std::vector<std::string> others;
  for (const auto& [name, print] : prints.items())
    if (const Json theirs = first.value(name, Json()); theirs != print)
      others.push_back(fmt::format("{} ({} here, {} there)", name, print.dump(), theirs.dump()));
  for (const auto& [name, print] : first.items())
    if (!prints.contains(name)) others.push_back(name + " (there, not here)");
  if (!others.empty())
    throw Error(fmt::format("differs from {} in {}: all processes of a training must be alike",
                            ranks.who(0), fmt::join(others, ", ")));
  ranks.all("");  // so are all others
}

void check_alike(Ranks& ranks, const Pipeline& pipeline) {
  const std::string first = ranks.first(pipeline.source.str());
  if (first == pipeline.source.str()) return void(ranks.all(""));
  const PipelineChanges changes(first, pipeline.source, pipeline.name);
  throw Error(fmt::format("its pipeline is not that of {}; they differ in: {}", ranks.who(0),
                          changes.paths().empty()
                              ? "comments or names"
                              : fmt::to_string(fmt::join(changes.paths(), ", "))));
}

}  // namespace weft

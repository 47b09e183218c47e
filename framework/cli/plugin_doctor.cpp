// weft plugin doctor: where plugins were sought, what was found, and what is wrong with it
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>

#include "framework/cli/commands.h"
#include "framework/plugin/diagnose.h"
#include "framework/plugin/loader.h"

namespace weft::cli {

namespace {
namespace fs = std::filesystem;

int64_t kinds_of(const Registry& registry, const std::string& plugin) {
  const auto names = registry.names();
  return std::ranges::count_if(
      names, [&](const std::string& name) { return registry.find(name)->plugin == plugin; });
}

std::string why(const PluginFile& found) {
  std::string sentence = found.refusal->sentence();
  const std::string head = found.file.string() + " cannot be loaded: ";
  if (!sentence.starts_with(head)) return sentence;
  const std::string all = in_words(lacks(found.file));
  return all.empty() ? sentence : head + all;
}

void print(const PluginFile& found, const Registry& registry) {
  const std::string file = found.file.filename();
  if (found.refusal) {
    fmt::print("  error {}\n", why(found));
  } else if (!found.copy_of.empty()) {
    fmt::print("  same  {}, is {}\n", file, found.copy_of.string());
  } else {
    const int64_t kinds = kinds_of(registry, found.name);
    fmt::print("  ok    {} {}, {} kind{}, {}\n", found.name, registry.plugin(found.name)->version,
               kinds, kinds == 1 ? "" : "s", file);
  }
}

std::string origin(const PluginPath& where, const PluginSearch& search) {
  if (where.path == search.standard) return "of this weft";
  return where.place.file.empty() ? "for every user" : where.place.file;
}
}  // namespace

Exit plugin_doctor(const std::vector<std::string>& paths) {
  std::vector<PluginPath> extra;
  extra.reserve(paths.size());
  for (const std::string& path : paths) extra.push_back({path, {.file = "given"}});
  const PluginSearch search = plugin_search(extra);
  const PluginsFound found(search);
  Exit exit = Exit::done;
  for (const PluginsAt& at : found.places) {
    fmt::print("{} ({})\n", at.where.path.string(), origin(at.where, search));
    if (at.unreadable) fmt::print("  error {}\n", at.unreadable->sentence());
    if (at.files.empty() && !at.unreadable) fmt::print("  warn  there is no .so in it\n");
    for (const PluginFile& file : at.files) {
      print(file, found.registry);
      if (file.refusal) exit = Exit::plugin;
    }
    if (at.unreadable) exit = Exit::plugin;
  }
  if (found.registry.plugins().empty()) exit = Exit::plugin;
  if (!std::getenv("WEFT_PLUGIN_PATH"))
    fmt::print("WEFT_PLUGIN_PATH is not set; a pipeline's `plugins:` names further places\n");
  return exit;
}

}  // namespace weft::cli

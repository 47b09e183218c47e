#include "framework/plugin/loader.h"

#define BOOST_DLL_USE_STD_FS
#include <dlfcn.h>

#include <algorithm>
#include <boost/dll/runtime_symbol_info.hpp>
#include <boost/dll/shared_library.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <utility>

#include "framework/node/source.h"
#include "framework/plugin/probe.h"
#include "framework/plugin/stamp.h"

namespace weft {
namespace fs = std::filesystem;
namespace {

// Never destroyed: a plugin's code is needed as long as the process lives.
std::vector<boost::dll::shared_library>& loaded() {
  static auto& all = *new std::vector<boost::dll::shared_library>;
  return all;
}

// Loads a library and keeps it. An engine of messages brings parts that look for its symbols.
boost::dll::shared_library& load_library(const fs::path& file, boost::dll::load_mode::type seen) {
  boost::dll::shared_library library;
  std::error_code failed;
  library.load(file, failed, boost::dll::load_mode::rtld_now | seen);
  if (failed) {
    const char* said = dlerror();
    std::string_view why = said ? said : "no reason given";
    const std::string path = file.string() + ": ";
    if (why.starts_with(path)) why.remove_prefix(path.size());
    throw Error(Exit::plugin, file.string() + " cannot be loaded: " + std::string(why));
  }
  return loaded().emplace_back(std::move(library));
}

// Loads a plugin and returns the head of its list of kinds.
const NodeKind* load_kinds(const fs::path& file) {
  constexpr const char* entry = "weft_plugin_1_nodes";
  const boost::dll::shared_library& library = load_library(file, boost::dll::load_mode::rtld_local);
  if (!library.has(entry))
    throw Error(Exit::plugin, file.string() + " is not a weft plugin: it has no entry");
  const NodeKind* const kinds = library.get<const NodeKind*()>(entry)();
  if (!kinds)
    throw Error(Exit::plugin, file.string() +
                                  " has no node: weft_plugin() must name the files that "
                                  "end with WEFT_NODE");
  return kinds;
}

void try_in_child(const Plugin& plugin, std::chrono::milliseconds patience) {
  probe(
      plugin.file.string(),
      [&](const Stage& stage) {
        Registry alone;
        stage("while it is loaded");
        alone.add(plugin, load_kinds(plugin.file));
        for (const std::string& name : alone.names()) {
          stage("while its node `" + name + "` is made");
          const std::unique_ptr<Node> node = alone.make(name);
          stage("while it is asked what its node `" + name + "` is: was it built with -fno-rtti?");
          const Source* volatile source = dynamic_cast<const Source*>(node.get());
          static_cast<void>(source);
        }
        return std::string();
      },
      patience);
}

void load(PluginFile& found, bool standard, std::chrono::milliseconds patience,
          Registry& registry) {
  const PluginStamp stamp = read_stamp(found.file);
  found.name = stamp.name;
  const Plugin plugin{stamp.name, stamp.version, found.file};
  registry.check_name(plugin);
  if (!standard) try_in_child(plugin, patience);
  registry.add(plugin, load_kinds(found.file));
}

// Are the two one file, or copies with the same bytes?
bool same(const fs::path& a, const fs::path& b) {
  if (a == b) return true;
  std::error_code missing;
  if (a.filename() != b.filename() || fs::file_size(a, missing) != fs::file_size(b, missing) ||
      missing)
    return false;
  std::ifstream one(a, std::ios::binary), other(b, std::ios::binary);
  return std::equal(std::istreambuf_iterator<char>(one), std::istreambuf_iterator<char>(),
                    std::istreambuf_iterator<char>(other));
}

fs::path whole(const fs::path& path) {
  std::error_code missing;  // read_stamp will say so
  const fs::path whole = fs::canonical(path, missing);
  return missing ? path : whole;
}

}  // namespace

void* load_entry(const fs::path& library, const char* name) {
  const auto& loaded = load_library(library, boost::dll::load_mode::rtld_global);
  if (!loaded.has(name)) throw Error(Exit::plugin, library.string() + " has no `" + name + "`");
  return reinterpret_cast<void*>(&loaded.get<void()>(name));
}

std::vector<fs::path> plugin_files(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.path().extension() == ".so") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

fs::path installation() {
  return boost::dll::program_location().parent_path().parent_path();
}

PluginSearch plugin_search(const std::vector<PluginPath>& extra) {
  PluginSearch search;
  search.standard = installation() / "lib/weft/plugins";
  if (const fs::path local = "/usr/local/lib/weft/plugins";  // what the administrator adds
      installation() == "/usr" && fs::exists(local))
    search.others.push_back({local, {}});
  const char* paths = std::getenv("WEFT_PLUGIN_PATH");
  std::istringstream split(paths ? paths : "");
  for (std::string path; std::getline(split, path, ':');)
    if (!path.empty()) search.others.push_back({path, {.file = "WEFT_PLUGIN_PATH"}});
  search.others.insert(search.others.end(), extra.begin(), extra.end());
  return search;
}

PluginsFound::PluginsFound(const PluginSearch& search) {
  const auto find_at = [&](const PluginPath& where) {
    places.push_back({where});
    PluginsAt& at = places.back();
    try {
      for (const fs::path& file : plugin_files(where.path)) at.files.push_back({whole(file)});
    } catch (const fs::filesystem_error& error) {
      at.unreadable =
          Error(Exit::plugin, where.path.string() + " cannot be read: " + error.code().message());
    }
  };
  if (!search.standard.empty()) find_at({search.standard});
  const size_t standard = places.size();
  for (const PluginPath& where : search.others) find_at(where);

  std::vector<fs::path> before;
  for (size_t i = 0; i < places.size(); ++i)
    for (PluginFile& found : places[i].files) {
      const auto known =
          std::ranges::find_if(before, [&](const auto& file) { return same(file, found.file); });
      if (known != before.end()) {
        found.copy_of = *known;
        continue;
      }
      before.push_back(found.file);
      try {
        load(found, i < standard, search.patience, registry);
      } catch (const Error& error) {
        found.refusal = error;
      }
    }
}

Registry load_plugins(const PluginSearch& search) {
  PluginsFound found(search);
  Mistakes mistakes;
  const auto add = [&](const Place& place, const std::optional<Error>& error) {
    if (error) mistakes.add(Error(place, error->sentence(), error->code()));
  };
  for (const auto& [where, unreadable, files] : found.places) add(where.place, unreadable);
  for (const auto& [where, unreadable, files] : found.places)
    for (const PluginFile& file : files) add(where.place, file.refusal);
  mistakes.check();
  return std::move(found.registry);
}

}  // namespace weft

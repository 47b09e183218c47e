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

#include "framework/node/source.h"
#include "framework/plugin/probe.h"
#include "framework/plugin/stamp.h"

namespace weft {
namespace fs = std::filesystem;
namespace {

struct Found {
  fs::path file;
  Place place;
  bool standard;
};

// The libraries that are loaded. They are never closed: the process needs their code until its end.
std::vector<boost::dll::shared_library>& loaded() {
  static auto& all = *new std::vector<boost::dll::shared_library>;
  return all;
}

// Loads a plugin and returns the head of its list of kinds.
const NodeKind* load_kinds(const fs::path& file) {
  constexpr const char* entry = "weft_plugin_1_nodes";
  boost::dll::shared_library library;
  std::error_code failed;
  library.load(file, failed, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
  if (failed) {
    const char* said = dlerror();
    std::string_view why = said ? said : "no reason given";
    const std::string path = file.string() + ": ";
    if (why.starts_with(path)) why.remove_prefix(path.size());
    throw Error(Exit::plugin, file.string() + " cannot be loaded: " + std::string(why));
  }
  loaded().push_back(std::move(library));
  if (!loaded().back().has(entry))
    throw Error(Exit::plugin, file.string() + " is not a weft plugin: it has no entry");
  return loaded().back().get<const NodeKind*()>(entry)();
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
      },
      patience);
}

void add(Registry& registry, const Found& found, std::chrono::milliseconds patience) {
  const PluginStamp stamp = read_stamp(found.file);
  const Plugin plugin{stamp.name, stamp.version, found.file};
  registry.check_name(plugin);
  if (!found.standard) try_in_child(plugin, patience);
  registry.add(plugin, load_kinds(found.file));
}

std::vector<fs::path> files_at(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.path().extension() == ".so") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
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

void find(const PluginPath& where, bool standard, std::vector<Found>& found) {
  for (const fs::path& path : files_at(where.path)) {
    std::error_code missing;  // read_stamp will say so
    const fs::path whole = fs::canonical(path, missing);
    const fs::path& file = missing ? path : whole;
    if (std::ranges::none_of(found, [&](const Found& known) { return same(known.file, file); }))
      found.push_back({file, where.place, standard});
  }
}

}  // namespace

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

Registry load_plugins(const PluginSearch& search) {
  Mistakes mistakes;
  std::vector<Found> found;
  const auto find_all = [&](const PluginPath& where, bool standard) {
    try {
      find(where, standard, found);
    } catch (const fs::filesystem_error& error) {
      mistakes.add(Error(where.place,
                         where.path.string() + " cannot be read: " + error.code().message(),
                         Exit::plugin));
    }
  };
  if (!search.standard.empty()) find_all({search.standard}, true);
  for (const PluginPath& where : search.others) find_all(where, false);

  Registry registry;
  for (const Found& one : found) {
    try {
      add(registry, one, search.patience);
    } catch (const Error& error) {
      mistakes.add(Error(one.place, error.sentence(), error.code()));
    }
  }
  mistakes.check();
  return registry;
}

}  // namespace weft

// Finds plugins, checks them and loads them, once and for the life of the process.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "framework/node/error.h"
#include "framework/plugin/registry.h"

namespace weft {

// Loads a library of weft's own that is no plugin, for the life of the process, and returns what it
// calls `name`. Throws Error(plugin) with what the system says.
void* load_entry(const std::filesystem::path& library, const char* name);

// A plugin file, or a folder whose every `.so` is one. `place` is where the user named it.
struct PluginPath {
  std::filesystem::path path;
  Place place = {};
};

struct PluginSearch {
  std::filesystem::path standard;  // weft's own plugins: a folder, or empty for none
  std::vector<PluginPath> others;  // their plugins are tried in a child process first
  std::chrono::milliseconds patience = std::chrono::seconds(10);  // for each such process
};

// The folder that holds bin/weft, lib/weft and share/weft, found from where the executable lies. It
// is an installation, wherever it was moved to, or a build tree, which is laid out alike.
std::filesystem::path installation();

// The places where this process finds plugins: lib/weft/plugins of its installation; the paths in
// $WEFT_PLUGIN_PATH, separated by colons; and `extra`, from a pipeline's `plugins:`.
PluginSearch plugin_search(const std::vector<PluginPath>& extra = {});

// The plugins that a path names: itself, or every `.so` of a folder, sorted. Throws
// std::filesystem::filesystem_error if the folder cannot be read.
std::vector<std::filesystem::path> plugin_files(const std::filesystem::path& path);

// What became of a file: it is loaded, is another's copy, or is refused.
struct PluginFile {
  std::filesystem::path file;
  std::filesystem::path copy_of = {};  // the same file, found before
  std::string name = {};               // of the plugin; "" if its stamp was refused
  std::optional<Error> refusal = {};
};

// A place that was searched, and what was found there.
struct PluginsAt {
  PluginPath where;
  std::optional<Error> unreadable = {};
  std::vector<PluginFile> files = {};
};

// Loads every plugin found that does what it must. A file found twice is loaded once. Call it
// before threads are started.
struct PluginsFound {
  explicit PluginsFound(const PluginSearch& search);
  Registry registry;
  std::vector<PluginsAt> places;
};

// The plugins found, or Error or Errors (Exit::plugin) with every file that does not exist, does
// not fit or does not behave, and with every name that two plugins give.
Registry load_plugins(const PluginSearch& search);

}  // namespace weft

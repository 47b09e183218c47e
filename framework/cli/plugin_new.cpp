// weft plugin new: a project to start a plugin from
#include <fmt/core.h>
#include <unistd.h>

#include <system_error>

#include "framework/cli/commands.h"
#include "framework/plugin/loader.h"
#include "framework/run/durable_files.h"

namespace weft::cli {

namespace {
namespace fs = std::filesystem;
constexpr std::string_view template_name = "my_nodes";

void check_name(const std::string& name) {
  if (!is_word(name))
    throw Error("`" + name +
                "` is no name of a plugin: it must be a lower_snake word, such as my_nodes");
  if (fs::exists(installation() / "lib/weft/plugins" / ("libweft_" + name + ".so")))
    throw Error("weft has a plugin `" + name + "` already: take another name");
}

fs::path template_folder() {
  fs::path folder = installation() / "share/weft/plugin";
  if (!fs::exists(folder / "CMakeLists.txt"))
    throw Error("there is no " + folder.string() +
                ": it comes with the package weft-dev, which building plugins takes");
  return folder;
}

std::string renamed(std::string text, const std::string& name) {
  for (size_t at = 0; (at = text.find(template_name, at)) != std::string::npos; at += name.size())
    text.replace(at, template_name.size(), name);
  return text;
}

void copy(const fs::path& from, const fs::path& to, const std::string& name) {
  fs::create_directory(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    const fs::path target = to / entry.path().filename();
    if (entry.is_directory())
      copy(entry.path(), target, name);
    else
      write_atomically(target, renamed(FileReader(entry.path()).text(1 << 20), name));
  }
}

// Whole or not at all: under another name at first.
void make_folder(const fs::path& folder, const std::string& name) {
  const fs::path source = template_folder();
  const fs::path parts = folder.parent_path() / fmt::format(".{}.{}", name, getpid());
  try {
    copy(source, parts, name);
    fs::rename(parts, folder);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(parts, ignored);
    throw;
  }
}

// What to do next. A build tree is no installation: CMake finds no package in it.
std::string next_steps(const fs::path& folder) {
  const fs::path prefix = installation();
  std::string before, option;
  if (!fs::exists(prefix / "lib/cmake/weft")) {
    before = "  cmake --install " + prefix.string() + " --prefix ~/weft\n";
    option = " -DCMAKE_PREFIX_PATH=$HOME/weft";
  } else if (prefix != "/usr" && prefix != "/usr/local") {
    option = " -DCMAKE_PREFIX_PATH=" + prefix.string();
  }
  return before + "  cd " + folder.string() + "\n  cmake -S . -B build" + option +
         "\n  cmake --build build\n  weft train denoise.yaml\n";
}
}  // namespace

Exit plugin_new(const std::string& name, const std::string& into) {
  check_name(name);
  const fs::path folder = (fs::path(into) / name).lexically_normal();
  std::error_code missing;
  if (fs::exists(fs::symlink_status(folder, missing)))
    throw Error("`" + folder.string() + "` is here already: weft writes over no file of yours");
  if (!fs::is_directory(into, missing))
    throw Error("there is no folder `" + into + "` to write `" + name + "` into");
  try {
    make_folder(folder, name);
  } catch (const fs::filesystem_error& error) {
    throw Error(Exit::resources,
                "cannot write `" + folder.string() + "`: " + error.code().message());
  }
  fmt::print("{}: README.md says what is in it; to build and use it:\n{}", folder.string(),
             next_steps(folder));
  return Exit::done;
}

}  // namespace weft::cli

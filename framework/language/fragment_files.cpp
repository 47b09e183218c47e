#include "framework/language/fragment_files.h"

#include <algorithm>
#include <map>

#include "framework/language/read_graph.h"

namespace weft {

namespace fs = std::filesystem;

namespace {
using Files = std::map<std::string, fs::path>;  // by name
Files files_of(const Registry& registry) {
  Files files;  // of several files of one name, the first: pipelines find that one
  for (const fs::path& folder : fragment_folders(registry)) {
    std::error_code missing;
    for (const auto& file : fs::directory_iterator(folder, missing))
      if (file.path().extension() == ".yaml")
        files.emplace(file.path().stem().string(), file.path());
  }
  return files;
}
}  // namespace

std::vector<fs::path> fragment_folders(const Registry& registry) {
  std::vector<fs::path> folders;
  for (const Plugin& plugin : registry.plugins())
    for (const char* place : {"fragments", "../../../share/weft/fragments"}) {
      const fs::path folder = (plugin.file.parent_path() / place).lexically_normal();
      if (std::find(folders.begin(), folders.end(), folder) == folders.end())
        folders.push_back(folder);
    }
  return folders;
}

std::vector<std::string> fragment_names(const Registry& registry) {
  std::vector<std::string> names;
  for (const auto& [name, file] : files_of(registry)) names.push_back(name);
  return names;
}

std::vector<FragmentDecl> plugin_fragments(const Registry& registry) {
  std::vector<FragmentDecl> all;
  Mistakes mistakes;
  for (const auto& [name, file] : files_of(registry))
    all.push_back(read_fragment(name, Yaml::read(file), mistakes));
  mistakes.check();
  return all;
}

std::optional<FragmentDecl> find_fragment(const std::string& name, const fs::path& pipeline,
                                          const Registry& registry, Mistakes& mistakes) {
  if (!is_name(name)) return std::nullopt;
  std::vector<fs::path> folders = fragment_folders(registry);
  folders.insert(folders.begin(), pipeline.parent_path() / "fragments");
  for (const fs::path& folder : folders) {
    std::error_code missing;
    const fs::path file = folder / (name + ".yaml");
    if (!fs::is_regular_file(file, missing)) continue;
    Yaml fragment = Yaml::read(file);
    Vars none;
    none.declared =
        "a fragment in a file of its own sees none: leave the default out, and hand it over";
    close_fragment(fragment, none, mistakes);
    return read_fragment(name, fragment, mistakes);
  }
  return std::nullopt;
}

FragmentParam::FragmentParam(const Yaml& param)
    : standard(param.is_map() ? param.find("default") : &param) {
  if (standard && standard->is_null()) standard = nullptr;
  if (const Yaml* words = param.is_map() ? param.find("about") : nullptr) about = words->text();
}

}  // namespace weft

#include "framework/graph/fragments.h"

#include <algorithm>
#include <map>

#include "framework/graph/read_graph.h"
#include "framework/plugin/describe.h"

namespace weft {

namespace fs = std::filesystem;

namespace {
std::vector<Member> members(const FragmentDecl& fragment) {
  std::vector<Member> all;
  const auto inputs = [&](const char* key, const char* type) {
    if (const Yaml* list = fragment.body.find(key))
      for (const Yaml& input : list->items()) all.push_back({"input", input.text(), type, "", ""});
  };
  inputs("inputs", ""), inputs("optional", "optional");
  if (const Yaml* outputs = fragment.body.find("outputs"))
    for (const auto& [name, place, value] : outputs->entries())
      all.push_back({"output", name, "", "", ""});
  for (const auto& [name, place, param] : fragment.params.entries()) {
    const auto [standard, about] = FragmentParam(param);
    all.push_back({"param", name, "",
                   !standard               ? "required"
                   : standard->is_scalar() ? standard->text()
                                           : standard->str(),
                   about});
  }
  return all;
}

using Files = std::map<std::string, fs::path>;  // by name
Files files_of(const Registry& registry) {
  Files files;  // the first of a name, as pipelines find it
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

FragmentParam::FragmentParam(const Yaml& param)
    : standard(param.is_map() ? param.find("default") : &param) {
  if (standard && standard->is_null()) standard = nullptr;
  if (const Yaml* words = param.is_map() ? param.find("about") : nullptr) about = words->text();
}

std::string list_fragments(const std::vector<FragmentDecl>& fragments) {
  size_t width = 0;
  for (const FragmentDecl& fragment : fragments) width = std::max(width, fragment.name.size());
  std::string out = fragments.empty() ? "" : "\nfragments, graphs of nodes\n";
  for (const auto& [name, about, params, body] : fragments) out += line(name, width, about);
  return out;
}

std::string describe_fragment(const FragmentDecl& fragment) {
  const auto all = members(fragment);
  return fragment.name + " — " + fragment.about +
         "\na fragment, a graph of nodes: " + fragment.body.place().file + "\n\n  " +
         usage(fragment.name, all) + "\n" + print(all);
}

std::string reference_of_fragments(const std::vector<FragmentDecl>& fragments) {
  std::string page =
      "\n## Fragments\n\n"
      "Graphs of nodes that are written like one; `weft nodes NAME` names the file of one.\n\n";
  for (const FragmentDecl& fragment : fragments)
    page += section(fragment.name, fragment.about, members(fragment));
  page.pop_back();
  return page;
}

}  // namespace weft

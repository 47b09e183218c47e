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
    const Yaml* about = param.is_map() ? param.find("about") : nullptr;
    const Yaml* standard = param.is_map() ? param.find("default") : &param;
    const bool required = !standard || standard->is_null();
    all.push_back({"param", name, "",
                   required                ? "required"
                   : standard->is_scalar() ? standard->text()
                                           : standard->str(),
                   about ? about->text() : ""});
  }
  return all;
}
}  // namespace

std::vector<fs::path> fragment_folders(const Registry& registry) {
  std::vector<fs::path> folders;
  for (const Plugin& plugin : registry.plugins()) {
    const fs::path folder = plugin.file.parent_path() / "fragments";
    if (std::find(folders.begin(), folders.end(), folder) == folders.end())
      folders.push_back(folder);
  }
  return folders;
}

std::vector<FragmentDecl> plugin_fragments(const Registry& registry) {
  std::map<std::string, FragmentDecl> found;  // the first of a name, as pipelines find it
  Mistakes mistakes;
  for (const fs::path& folder : fragment_folders(registry)) {
    std::error_code missing;
    for (const auto& file : fs::directory_iterator(folder, missing)) {
      const std::string name = file.path().stem().string();
      if (file.path().extension() == ".yaml" && !found.contains(name))
        found.emplace(name, read_fragment(name, Yaml::read(file.path()), mistakes));
    }
  }
  mistakes.check();
  std::vector<FragmentDecl> all;
  for (auto& [name, fragment] : found) all.push_back(std::move(fragment));
  return all;
}

std::string list_fragments(const std::vector<FragmentDecl>& fragments) {
  size_t width = 0;
  for (const FragmentDecl& fragment : fragments) width = std::max(width, fragment.name.size());
  std::string out = fragments.empty() ? "" : "\nfragments, graphs of nodes\n";
  for (const auto& [name, about, params, body] : fragments)
    out += "  " + name + std::string(width - name.size(), ' ') + "  " + about + "\n";
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
      "\n## Fragments\n\nGraphs of nodes that are written like one; `weft nodes "
      "NAME` names the file of one.\n\n";
  for (const FragmentDecl& fragment : fragments) {
    const auto all = members(fragment);
    page += "### " + fragment.name + "\n\n" + fragment.about + "\n\n    " +
            usage(fragment.name, all) + "\n\n" + print_table(all) + "\n";
  }
  page.pop_back();
  return page;
}

}  // namespace weft

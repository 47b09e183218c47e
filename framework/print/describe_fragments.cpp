// Descriptions of fragments.
#include <algorithm>
#include <sstream>

#include "framework/print/describe.h"

namespace weft {

namespace {
std::vector<Member> members(const FragmentDecl& fragment) {
  std::vector<Member> all;
  const auto inputs = [&](const char* key, const char* type) {
    if (const Yaml* list = fragment.body.find(key))
      for (const Yaml& input : list->is_list() ? list->items() : std::vector{*list})
        all.push_back({"input", input.text(), type, "", ""});
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
// Its nodes as they are written, each behind `before`, in a line if it fits.
std::string nodes_of(const FragmentDecl& fragment, const std::string& before) {
  const Yaml* const nodes = fragment.body.find("nodes");
  if (!nodes || !nodes->is_map()) return "";
  size_t width = 0;
  for (const Yaml::Entry& node : nodes->entries()) width = std::max(width, node.key.size());
  std::string text;
  for (const Yaml::Entry& node : nodes->entries()) {
    const std::string written = node.value.str();
    const bool fits = written.find('\n') + 1 >= written.size();
    text += before + node.key + ":" + (fits ? std::string(width - node.key.size() + 1, ' ') : "\n");
    std::istringstream lines(written);
    for (std::string line; std::getline(lines, line);)
      text += (fits ? "" : before + "  ") + line + "\n";
  }
  return text;
}
}  // namespace

std::string list_fragments(const std::vector<FragmentDecl>& fragments) {
  size_t width = 0;
  for (const FragmentDecl& fragment : fragments) width = std::max(width, fragment.name.size());
  std::string out = fragments.empty() ? "" : "\nfragments, graphs of nodes\n";
  for (const auto& [name, about, params, body, text] : fragments) out += line(name, width, about);
  return out;
}

std::string describe_fragment(const FragmentDecl& fragment) {
  const auto all = members(fragment);
  return fragment.name + " — " + fragment.about +
         "\na fragment, a graph of nodes: " + fragment.body.place().file + "\n\n  " +
         usage(fragment.name, all) + "\n" + print(all) + "\nnodes\n" + nodes_of(fragment, "  ");
}

std::string reference_of_fragments(const std::vector<FragmentDecl>& fragments) {
  std::string page =
      "\n## Fragments\n\n"
      "Graphs of nodes that are written like one. Copy one into `fragments:` of your pipeline to "
      "change it.\n\n";
  for (const FragmentDecl& fragment : fragments)
    page += section(fragment.name, fragment.about, members(fragment)) + nodes_of(fragment, "    ") +
            "\n";
  page.pop_back();
  return page;
}

}  // namespace weft

// Descriptions of node kinds and fragments, made from what they declare.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/language/fragment_files.h"
#include "framework/plugin/registry.h"

namespace weft {

// A line of a description: a port, param, weight, state or slot.
struct Member {
  const char* role;                    // "input"
  std::string name, type, value, doc;  // value: a default, or "required"
};
std::string print(const std::vector<Member>& members);  // for `weft nodes NAME`
// A section of the reference page, in Markdown.
std::string section(const std::string& name, const std::string& about,
                    const std::vector<Member>& members);
std::string cell(std::string_view words);  // escapes what Markdown would interpret
std::string range(const Check& check);     // ", at least 1", or ""
// A line of a list: the name, blanks up to `width`, and what it is about.
std::string line(const std::string& name, size_t width, const std::string& about);
// What a user must write: "{node: linear, x: …, features: …}".
std::string usage(const std::string& name, const std::vector<Member>& members);

// A line for each kind, its name and what it is about, grouped by plugin.
std::string list_kinds(const Registry& registry);

// One kind: ports, params, weights, states, slots, example. Throws Error, with the near name, if
// there is none of this name.
std::string describe_kind(const Registry& registry, const std::string& name);

// All kinds as one page of Markdown, the same for the same plugins wherever they lie.
std::string reference_page(const Registry& registry);

// The language as one page of Markdown: its maps and their keys.
std::string language_page();

// The same for fragments.
std::string list_fragments(const std::vector<FragmentDecl>& fragments);
std::string describe_fragment(const FragmentDecl& fragment);
std::string reference_of_fragments(const std::vector<FragmentDecl>& fragments);

}  // namespace weft

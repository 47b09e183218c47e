// The fragments that come with plugins, from the folder `fragments` beside each.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/graph/pipeline.h"
#include "framework/plugin/registry.h"

namespace weft {

std::vector<std::filesystem::path> fragment_folders(const Registry& registry);
// Sorted by name. Throws Error if one cannot be read.
std::vector<FragmentDecl> plugin_fragments(const Registry& registry);

// In words, as describe.h has the kinds of nodes.
std::string list_fragments(const std::vector<FragmentDecl>& fragments);
std::string describe_fragment(const FragmentDecl& fragment);
std::string reference_of_fragments(const std::vector<FragmentDecl>& fragments);

}  // namespace weft

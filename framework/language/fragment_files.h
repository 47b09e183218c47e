// The fragments that come with plugins. They lie in the folder `fragments` beside a plugin and, if
// the plugin is in lib/weft/plugins of an installation, in share/weft/fragments of the same.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "framework/language/pipeline.h"
#include "framework/plugin/registry.h"

namespace weft {

std::vector<std::filesystem::path> fragment_folders(const Registry& registry);
std::vector<std::string> fragment_names(const Registry& registry);  // sorted; reads no file
// All of them, read and sorted by name. Throws Error if one cannot be read.
std::vector<FragmentDecl> plugin_fragments(const Registry& registry);

// Finds the fragment `name` in the folder `fragments` beside the pipeline's file, else among those
// of plugins. Returns nothing if it is in neither.
std::optional<FragmentDecl> find_fragment(const std::string& name,
                                          const std::filesystem::path& pipeline,
                                          const Registry& registry, Mistakes& mistakes);

// A param of a fragment, which the file writes as a map {default, about} or as the default alone.
struct FragmentParam {
  const Yaml* standard;  // null if the param must be given
  std::string about;
  explicit FragmentParam(const Yaml& param);
};

}  // namespace weft

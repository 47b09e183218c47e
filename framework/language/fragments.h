// The fragments that come with plugins, from the folder `fragments` beside each, and from
// share/weft/fragments of the prefix whose lib/weft/plugins holds it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "framework/language/pipeline.h"
#include "framework/plugin/registry.h"

namespace weft {

std::vector<std::filesystem::path> fragment_folders(const Registry& registry);
std::vector<std::string> fragment_names(const Registry& registry);  // sorted; nothing is read
// Sorted by name. Throws Error if one cannot be read.
std::vector<FragmentDecl> plugin_fragments(const Registry& registry);

// The fragment `name` from a folder `fragments` beside the pipeline's file, else from those of
// plugins; nothing if there is none.
std::optional<FragmentDecl> find_fragment(const std::string& name,
                                          const std::filesystem::path& pipeline,
                                          const Registry& registry, Mistakes& mistakes);

// One of FragmentDecl::params: a map {default, about}, or the default alone.
struct FragmentParam {
  const Yaml* standard;  // null if the param must be given
  std::string about;
  explicit FragmentParam(const Yaml& param);
};

}  // namespace weft

// The keys by which a pipeline file refers to other files: `include:` and `plugins:`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/language/yaml.h"

namespace weft {

// Merges a file with the files that it includes. Maps merge key by key; any other value of the
// including file replaces the included one, and so does a node of another kind. Paths are relative
// to the including file; an included file may include others.
Yaml merge_includes(Yaml tree, const std::filesystem::path& file, Mistakes& mistakes);

// Makes the paths of `plugins:` absolute, since a run keeps its pipeline in another folder.
void anchor_plugins(Yaml& tree, const std::filesystem::path& file);

}  // namespace weft

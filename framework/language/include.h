// `include:`, and what else ties a pipeline file to the files around it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/language/yaml.h"

namespace weft {

// The file with what it includes laid under it: maps merge key by key, the including file wins,
// everything else is replaced. Paths are relative to the including file; an include may include.
Yaml merge_includes(Yaml tree, const std::filesystem::path& file, Mistakes& mistakes);

// Makes the paths of `plugins:` whole: a run keeps its pipeline elsewhere.
void anchor_plugins(Yaml& tree, const std::filesystem::path& file);

}  // namespace weft

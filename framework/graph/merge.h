// `include:` and `--set`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/graph/yaml.h"

namespace weft {

// The file with what it includes laid under it: maps merge key by key, the including file wins,
// everything else is replaced. Paths are relative to the including file; an include may include.
Yaml merge_includes(Yaml tree, const std::filesystem::path& file, Mistakes& mistakes);

// "latent=32" sets a variable; "train.phases.0.optimizer.lr=1e-4" a key, lists by position.
void apply_sets(Yaml& tree, const std::vector<std::string>& sets, Mistakes& mistakes);

// Makes the paths of `plugins:` whole: a run keeps its pipeline elsewhere.
void anchor_plugins(Yaml& tree, const std::filesystem::path& file);

}  // namespace weft

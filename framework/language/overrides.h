// `--set`: values from the command line that replace those of a pipeline file.
#pragma once

#include <string>
#include <vector>

#include "framework/language/yaml.h"

namespace weft {

// Applies each "KEY=VALUE" to `tree`: "latent=32" sets a variable,
// "train.phases.0.optimizer.lr=1e-4" a key, where the items of lists count from 0. It is a mistake
// if there is nothing of this name.
void apply_sets(Yaml& tree, const std::vector<std::string>& sets, Mistakes& mistakes);

}  // namespace weft

// `--set`: what the command line says in place of a pipeline file.
#pragma once

#include <string>
#include <vector>

#include "framework/language/yaml.h"

namespace weft {

// Each "KEY=VALUE" changes `tree`: "latent=32" sets a variable; "train.phases.0.optimizer.lr=1e-4"
// a key, lists by position. Mistakes are noted: no such key, or none near it.
void apply_sets(Yaml& tree, const std::vector<std::string>& sets, Mistakes& mistakes);

}  // namespace weft

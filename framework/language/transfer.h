// Modules that a pipeline takes from another run: `modules: {encoder: {from: runs/vae}}`.
#pragma once

#include "framework/language/yaml.h"

namespace weft {

// Writes the definition of each module that has `from` and no nodes of its own into `tree`. It is
// taken from the run's resolved.yaml with the run's variables replaced, along with the modules that
// it uses. `module: name` is its name in that run if that differs. Weights are loaded later, when
// training starts.
void transfer_modules(Yaml& tree, Mistakes& mistakes);

}  // namespace weft

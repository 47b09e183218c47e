// `modules: {encoder: {from: runs/vae}}`: a module of another run.
#pragma once

#include "framework/language/yaml.h"

namespace weft {

// Writes the definition of each module that has `from` and no nodes of its own into `tree`, taken
// from the run's resolved.yaml with the run's variables replaced, and the modules it uses with it.
// `module: name` takes it under another name. Its weights are loaded when training starts.
void transfer_modules(Yaml& tree, Mistakes& mistakes);

}  // namespace weft

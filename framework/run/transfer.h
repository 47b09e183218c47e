// What modules that come `from` other runs bring with them.
#pragma once

#include <string>
#include <vector>

#include "framework/language/pipeline.h"
#include "framework/run/weights.h"

namespace weft {

// What the modules that come `from` other runs learned with: to train, what they read, since other
// layers may learn other classes; else all that their runs know. Where two runs learned otherwise
// it is disputed.
FittedMap fitted_of_modules(const Pipeline& pipeline, bool to_train);

// Weights of modules that come `from` another run, of the checkpoint that they name, else its last.
// Says of each where it is from: "`encoder` is of step 400 of runs/a".
std::vector<std::string> load_transferred(Weights& model, const Pipeline& pipeline);
// Notes each of those checkpoints that is not there or not whole.
void check_transferred(const Pipeline& pipeline, Mistakes& mistakes);

}  // namespace weft

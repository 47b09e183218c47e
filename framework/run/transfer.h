// What modules bring with them that come `from` other runs: weights, and what was learned of data.
#pragma once

#include <string>
#include <vector>

#include "framework/language/pipeline.h"
#include "framework/run/weights.h"

namespace weft {

// What those runs learned of their data (see Fit). To train, only what the modules read is taken,
// since other layers may learn other classes; otherwise all that the runs know. What two runs
// learned differently is marked as disputed.
FittedMap fitted_of_modules(const Pipeline& pipeline, bool to_train);

// Loads the weights of those modules, from the checkpoint that each names, else from the last of
// its run. Returns a sentence for each: "`encoder` is of step 400 of runs/a".
std::vector<std::string> load_transferred(Weights& model, const Pipeline& pipeline);
// Notes a mistake for each of those checkpoints that is missing or broken.
void check_transferred(const Pipeline& pipeline, Mistakes& mistakes);

}  // namespace weft

#include "framework/run/transfer.h"

#include <algorithm>

#include "framework/run/checkpoint_store.h"
#include "framework/run/fitted.h"

namespace weft {

FittedMap fitted_of_modules(const Pipeline& pipeline, bool to_train) {
  FittedMap all;
  std::map<std::string, std::string> origin;  // the run of each fit, by its name
  for (const auto& [name, module] : pipeline.modules) {
    if (module.from.empty()) continue;
    const std::optional<FittedMap> theirs = fitted_of(module.from);
    if (!theirs) continue;
    for (const auto& [what, fitted] : *theirs) {
      const bool reads = std::find(fitted.modules.begin(), fitted.modules.end(), module.original) !=
                         fitted.modules.end();
      if (!reads && to_train) continue;
      Fitted& ours = all[what];
      if (ours.bytes && *ours.bytes != *fitted.bytes)
        ours.dispute = "the runs `" + origin[what] + "` and `" + module.from +
                       "` learned different " + what +
                       ", but a pipeline has one for all of its modules";
      ours.bytes = fitted.bytes;
      origin[what] = module.from;
      if (reads) ours.modules.push_back(name);
    }
  }
  return all;
}

namespace {
Checkpoint checkpoint_of(const ModuleDecl& module) {
  try {
    CheckpointStore store(std::filesystem::path(module.from) / "checkpoints", {.read_only = true});
    return store.chosen(module.checkpoint, "`checkpoint`");
  } catch (const Error& error) {
    throw Error(module.graph.place, "module `" + module.name + "`: " + error.what(), error.code());
  }
}
}  // namespace

void check_transferred(const Pipeline& pipeline, Mistakes& mistakes) {
  for (const auto& [name, module] : pipeline.modules) try {
      if (!module.from.empty()) checkpoint_of(module);
    } catch (const Error& error) {
      mistakes.add(error);
    }
}

std::vector<std::string> load_transferred(Weights& model, const Pipeline& pipeline) {
  std::vector<std::string> told;
  for (const auto& [name, module] : pipeline.modules) {
    if (module.from.empty()) continue;
    const Checkpoint checkpoint = checkpoint_of(module);
    model.load(checkpoint.model.tensors(), name + ".", module.original + ".");
    told.push_back("`" + name + "` is of step " + std::to_string(checkpoint.step) + " of " +
                   module.from);
  }
  return told;
}

}  // namespace weft

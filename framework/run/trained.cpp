#include "framework/run/trained.h"

#include <fmt/core.h>

#include "framework/plan/build_plan.h"
#include "framework/run/checkpoint_store.h"
#include "framework/run/fitted.h"
#include "framework/run/transfer.h"

namespace weft {

namespace {
Checkpoint open_checkpoint(const std::filesystem::path& run, const std::string& which,
                           const Trained::Say& say) {
  CheckpointStore store(run / "checkpoints", {.read_only = true, .warn = say});
  Checkpoint checkpoint = store.chosen(which, "--checkpoint");
  const auto best = store.best_step();
  say(fmt::format("step {} of {}{}", checkpoint.step, run.string(),
                  best && *best != checkpoint.step
                      ? fmt::format("; its best is step {}: --checkpoint best", *best)
                      : ""));
  return checkpoint;
}

Trained planned(const Pipeline& pipeline, const Registry& registry, Mode mode, Known known,
                Mistakes& mistakes) {
  Trained trained{.plan = build_plan(pipeline, registry, mode, std::move(known), mistakes)};
  mistakes.check();
  trained.weights.add(*trained.plan);
  return trained;
}
}  // namespace

Trained Trained::of_run(const std::filesystem::path& run, const std::string& which,
                        const Pipeline& pipeline, const Registry& registry, Mode mode,
                        Mistakes& mistakes, const Say& say) {
  const Checkpoint checkpoint = open_checkpoint(run, which, say);
  const auto fitted = fitted_of(run);
  Trained trained =
      planned(pipeline, registry, mode,
              {fitted ? *fitted : fitted_of_modules(pipeline, false), checkpoint.training_steps()},
              mistakes);
  if (!fitted)
    for (const auto& [name, learned] : *trained.plan->fitted)
      say(fmt::format("the run was made by an older weft and keeps no {}: learned again", name));
  trained.weights.load(checkpoint.model.tensors());
  trained.step = checkpoint.step;
  return trained;
}

Trained Trained::of_modules(const Pipeline& pipeline, const Registry& registry, Mode mode,
                            Mistakes& mistakes, const Say& say) {
  Trained trained =
      planned(pipeline, registry, mode, {fitted_of_modules(pipeline, false)}, mistakes);
  for (const PlanWeight& weight : trained.plan->weights)
    if (pipeline.modules.at(weight.module).from.empty())
      throw Error("module `" + weight.module + "` is not trained yet: run `weft train " +
                  pipeline.file + "`, then give the run's directory");
  for (const std::string& source : load_transferred(trained.weights, pipeline)) say(source);
  return trained;
}

}  // namespace weft

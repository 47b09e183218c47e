// Checks that a plan must pass before it can run. Each is described by the rule that it enforces;
// what breaks the rule is added to the mistakes.
#pragma once

#include "framework/plan/plan.h"
#include "framework/plugin/registry.h"

namespace weft {

// Every module is used in a section, or lends a graph to others' pipelines: then all that learns or
// keeps states in it is modules that are used.
void check_modules_used(const Pipeline& pipeline, const Registry& registry, Mistakes& mistakes);
// Axis 0 of every value is the batch.
void check_rows(const Plan& plan, Mistakes& mistakes);
// Every shard has a row and as many lanes, and every process has a shard.
void check_shards(const Plan& plan, const SectionDecl& section, Mistakes& mistakes);
// No node reads the output of a measure, which has its number only after the last batch.
void check_measures(const Plan& plan, Mistakes& mistakes);
// Every module that a phase updates exists, has weights in the plan and is not frozen.
// Throws Error(Exit::plugin) if infer() of a node left out a shape, or gave rows that are not those
// of its inputs.
void check_inferred(const Node& node);
// Notes a mistake if a loss or report of `train` is named as a key that every line of metrics has.
void check_metric(const Mention& mention, Mistakes& mistakes);
void check_updates(const Plan& plan, const Pipeline& pipeline, const PhaseDecl& phase,
                   Mistakes& mistakes);
// Every module in the section is updated by a phase, is frozen or comes from another run.
void check_modules_learn(const Plan& plan, const Pipeline& pipeline, Mistakes& mistakes);
// Weights and states that two sections share have the same shape in both.
void check_shared(const Plan& first, const Plan& other, Mistakes& mistakes);
// The report that `save.best` names is one number.
void check_best(const Plan& plan, const Pipeline& pipeline, Mistakes& mistakes);
// Every module with weights that a section uses is used by `train` or comes from another run.
void check_learned(const Plan& train, const Plan& plan, const Pipeline& pipeline,
                   Mistakes& mistakes);
// This machine has so many bytes of memory for `what`.
void check_memory(size_t bytes, const std::string& what, const Place& place, Mistakes& mistakes);
// Training in bf16 runs on a CPU that has bf16. Other sections need none: they can run in f32.
void check_precision(const Pipeline& pipeline, Mode mode, Mistakes& mistakes);

}  // namespace weft

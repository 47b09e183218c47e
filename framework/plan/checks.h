// What a plan must hold to be run. Mistakes are collected.
#pragma once

#include "framework/plan/plan.h"

namespace weft {

// Axis 0 of every value is the batch.
void check_rows(const Plan& plan, Mistakes& mistakes);
// A measure has its number after the last batch: nothing can read it within a step.
void check_measures(const Plan& plan, Mistakes& mistakes);
// What a phase updates is there, and may learn.
void check_updates(const Plan& plan, const Pipeline& pipeline, const PhaseDecl& phase,
                   Mistakes& mistakes);
// Every module in the section learns, or says that it does not.
void check_modules_learn(const Plan& plan, const Pipeline& pipeline, Mistakes& mistakes);
// What two sections share has one shape.
void check_shared(const Plan& first, const Plan& other, Mistakes& mistakes);
// What decides which checkpoint is best is one number.
void check_best(const Plan& plan, const Pipeline& pipeline, Mistakes& mistakes);
// What a section uses learns in `train`, or comes from another run.
void check_learned(const Plan& train, const Plan& plan, const Pipeline& pipeline,
                   Mistakes& mistakes);
// There are so many bytes of memory here for `what`.
void check_memory(size_t bytes, const std::string& what, const Place& place, Mistakes& mistakes);
// Training in bf16 needs a CPU that has it; other sections do without.
void check_precision(const Pipeline& pipeline, Mode mode, Mistakes& mistakes);

}  // namespace weft

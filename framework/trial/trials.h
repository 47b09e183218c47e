// The functions of the table in trial.cpp.
#pragma once

#include "framework/trial/attempt.h"

namespace weft::trial {

// values.cpp
void runs_its_example(Attempt& attempt);
void frozen(Attempt& attempt);
void repeats(Attempt& attempt);
void memory(Attempt& attempt);
// gradients.cpp
void gradients(Attempt& attempt);
void constants(Attempt& attempt);
// twice.cpp
void twice(Attempt& attempt);
// rows.cpp
void lanes(Attempt& attempt);
void empty_lanes(Attempt& attempt);
void one_row(Attempt& attempt);
void padding(Attempt& attempt);
// states.cpp
void states(Attempt& attempt);
void saving(Attempt& attempt);
// wiring.cpp
void missing_inputs(Attempt& attempt);
void optional_inputs(Attempt& attempt);
void params(Attempt& attempt);
void shapes(Attempt& attempt);
// measures.cpp
void batches_of_a_measure(Attempt& attempt);
void forgets(Attempt& attempt);
// sinks.cpp
void files(Attempt& attempt);
void no_folder(Attempt& attempt);
void full_disk(Attempt& attempt);
// sources.cpp
void opens(Attempt& attempt);
void samples(Attempt& attempt);
void batches_of_a_source(Attempt& attempt);
void fits(Attempt& attempt);
void memory_of_a_source(Attempt& attempt);
// optimizers.cpp
void updates(Attempt& attempt);
void descends(Attempt& attempt);
void blocks(Attempt& attempt);
void slots(Attempt& attempt);

}  // namespace weft::trial

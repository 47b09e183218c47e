// Trials of what a node computes: outputs, and the same again.
#include <algorithm>

#include "framework/language/fields.h"
#include "framework/node/parallel.h"
#include "framework/node/sink.h"
#include "framework/trial/compare.h"
#include "framework/trial/growth.h"
#include "framework/trial/trials.h"

namespace weft::trial {

namespace {

// Gives the rig the inputs of another.
void set_inputs(NodeRig& rig, const NodeRig& from) {
  for (size_t i = 0; i < rig.inputs.size(); ++i) {
    std::ranges::copy(from.inputs[i].value.floats, rig.inputs[i].value.floats.begin());
    std::ranges::copy(from.inputs[i].value.ints, rig.inputs[i].value.ints.begin());
  }
}

}  // namespace

void runs_its_example(Attempt& attempt) {
  for (const auto& [mode, where] : {std::pair{Mode::train, " in training"},
                                    {Mode::evaluate, " in evaluation"},
                                    {Mode::generate, " in generation"}}) {
    attempt.about(where);
    NodeRig rig = attempt.rig({.mode = mode});
    rig.observe();
    rig.forward();
    for (const NodeRig::Value& output : rig.outputs)
      attempt.expect(ticked(output.name), unfinished(output.value));
    rig.finish();
    if (mode != Mode::train) continue;
    fill_output_grads(rig, attempt.seed);
    rig.backward();
    rig.learn();
  }
}

void frozen(Attempt& attempt) {
  NodeRig frozen = attempt.rig({.frozen = true});
  NodeRig evaluated = attempt.rig({.mode = Mode::evaluate});
  const std::vector<Array> states = frozen.states;
  run(frozen, attempt.seed);
  evaluated.forward();
  for (size_t i = 0; i < frozen.outputs.size(); ++i) {
    const std::string complaint = difference(frozen.outputs[i].value, evaluated.outputs[i].value);
    attempt.expect(ticked(frozen.outputs[i].name) + " of a frozen module",
                   complaint.empty() ? "" : complaint + " as in evaluation");
  }
  for (size_t i = 0; i < states.size(); ++i)
    if (!same_bits(frozen.states[i], states[i]))
      attempt.fail("a frozen module moves the state " +
                   ticked(frozen.node().host().states[i]->name));
}

void repeats(Attempt& attempt) {
  NodeRig first = attempt.rig(), second = attempt.rig();
  const std::vector<Array> states = second.states;
  run(first, attempt.seed);
  run(second, attempt.seed);
  expect_equal(attempt, second, first, " as before: another instance in the same step");
  if (attempt.kind.traits.follows_state) set_states(second, states);
  run(second, attempt.seed);
  expect_equal(attempt, second, first, " as before: something is left over from an earlier step");
  set_inputs(second, attempt.rig(attempt.example(1)));
  run(second, attempt.seed + 1);
  set_inputs(second, first);
  if (attempt.kind.traits.follows_state) set_states(second, states);
  run(second, attempt.seed);
  expect_equal(attempt, second, first,
               " as before: something is left over from a step of other inputs");
  if (!second.node().whole_batch()) return;
  NodeRig single = attempt.rig();
  alone([&] { run(single, attempt.seed); });
  expect_equal(attempt, single, first, " as before: with one thread");
}

void memory(Attempt& attempt) {
  NodeRig rig = attempt.rig();
  const bool sink = dynamic_cast<const Sink*>(&rig.node());
  attempt.expect("memory", growth([&](int64_t step) {
                   rig.step.number = sink ? 0 : step;  // one file
                   run(rig, attempt.seed);
                   rig.finish();  // of a sink: each batch is a pass of its own
                 }));
}

}  // namespace weft::trial

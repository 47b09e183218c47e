// Trials of what a node remembers: states, and nothing beside them.
#include <algorithm>
#include <set>

#include "framework/language/fields.h"
#include "framework/trial/compare.h"
#include "framework/trial/trials.h"

namespace weft::trial {

namespace {

std::string state(const NodeRig& rig, size_t i) {
  return "the state " + ticked(rig.node().host().states[i]->name);
}

bool same_states(const NodeRig& rig, const std::vector<Array>& states) {
  return std::ranges::equal(rig.states, states, same_bits);
}

void refuse_twins(Attempt& attempt, const Node& node) {
  std::set<std::string> names;
  const auto add = [&](const auto& members) {
    for (const auto* member : members)
      if (!names.insert(member->name).second)
        attempt.fail("two weights or states are named " + ticked(member->name) +
                     ": a checkpoint can hold one");
  };
  add(node.host().weights);
  add(node.host().states);
}

}  // namespace

// What training leaves in the states serves evaluation, which leaves them alone. A row is then what
// it is, whatever else the batch holds.
void states(Attempt& attempt) {
  NodeRig trained = attempt.rig(attempt.example(1));
  if (trained.states.empty()) return;
  const std::vector<Array> fresh = trained.states;
  trained.observe();
  trained.forward();
  const bool moved = !same_states(trained, fresh), fixed = attempt.kind.traits.fixed_state;
  if (!moved && !fixed)
    attempt.fail("a step of training moves none of its states: move them, or declare .fixed_state");
  if (moved && fixed) attempt.fail("a step of training moves a state, though it is .fixed_state");

  const int64_t rows = batch_of(trained) - 1;
  NodeRig whole = attempt.rig({.mode = Mode::evaluate});
  NodeRig less = attempt.rig({.mode = Mode::evaluate, .rows = rows});
  NodeRig ignorant = attempt.rig({.mode = Mode::evaluate});
  for (NodeRig* rig : {&whole, &less}) {
    set_states(*rig, trained.states);
    rig->forward();
    for (size_t i = 0; i < rig->states.size(); ++i)
      if (!same_bits(rig->states[i], trained.states[i]))
        attempt.fail("evaluation moves " + state(*rig, i));
  }
  ignorant.forward();
  for (size_t i = 0; i < whole.outputs.size(); ++i) {
    attempt.expect(ticked(whole.outputs[i].name) + " of a shorter batch in evaluation",
                   difference_of_rows(less.outputs[i].value, whole.outputs[i].value, rows));
    if (moved && same_bits(whole.outputs[i].value, ignorant.outputs[i].value))
      attempt.fail(ticked(whole.outputs[i].name) +
                   " in evaluation does not depend on the states that training left");
  }
}

void saving(Attempt& attempt) {
  constexpr int64_t steps = 3;
  NodeRig old = attempt.rig();
  refuse_twins(attempt, old.node());
  for (old.step.number = 0; old.step.number < steps; ++old.step.number) run(old, attempt.seed);
  NodeRig loaded = attempt.rig({.step = steps});
  set_states(loaded, old.states);
  run(old, attempt.seed);
  run(loaded, attempt.seed);
  const std::string why = " as in the instance that was saved: it keeps what is no state";
  const auto tell = [&](const std::string& subject, const std::string& complaint) {
    attempt.expect(subject, complaint.empty() ? "" : complaint + why);
  };
  for (size_t i = 0; i < old.outputs.size(); ++i)
    tell(ticked(old.outputs[i].name), difference(loaded.outputs[i].value, old.outputs[i].value));
  for (size_t i = 0; i < old.weights.size(); ++i)
    tell("the gradient of " + ticked(old.weights[i].name),
         difference(loaded.weights[i].grad, old.weights[i].grad));
  for (size_t i = 0; i < old.states.size(); ++i)
    tell(state(old, i), difference(loaded.states[i], old.states[i]));
}

}  // namespace weft::trial

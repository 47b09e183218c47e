// Trials of what a node computes: outputs, gradients, the same again.
#include <algorithm>
#include <array>
#include <cmath>

#include "framework/language/fields.h"
#include "framework/node/parallel.h"
#include "framework/node/sink.h"
#include "framework/trial/compare.h"
#include "framework/trial/growth.h"
#include "framework/trial/trials.h"

namespace weft::trial {

namespace {

// Σ outputs · weights, where the weights are what fill_output_grads() gives.
double loss(NodeRig& rig, uint64_t seed, const std::vector<Array>& states) {
  set_states(rig, states);
  rig.forward();
  fill_output_grads(rig, seed);
  double sum = 0;
  for (const NodeRig::Value& output : rig.outputs)
    for (size_t i = 0; i < output.grad.floats.size(); ++i)
      sum +=
          static_cast<double>(output.value.floats[i]) * static_cast<double>(output.grad.floats[i]);
  return sum;
}

// float32 wants a large step, a kink nearby a small one.
class Differences {
 public:
  Differences(NodeRig& rig, uint64_t seed, std::vector<Array> states)
      : rig_(rig), seed_(seed), states_(std::move(states)) {}

  std::string complaint(NodeRig::Value& value) {
    const std::vector<float> grad = value.grad.floats;
    const size_t stride = std::max<size_t>(1, grad.size() / 50);
    for (size_t i = 0; i < grad.size(); i += stride) {
      const auto given = static_cast<double>(grad[i]);
      float& x = value.value.floats[i];
      const auto agrees = [&](double step) { return near(given, slope(x, step)); };
      if (std::ranges::any_of(std::array{1e-2, 2.5e-3, 6e-4}, agrees)) continue;
      return "is " + number(given) + place(value.grad.shape, i) +
             ", but central differences give " + number(slope(x, 1e-2));
    }
    return "";
  }

 private:
  double slope(float& x, double step) {
    const float was = x;
    x = was + static_cast<float>(step);
    const double above = loss(rig_, seed_, states_), high = static_cast<double>(x);
    x = was - static_cast<float>(step);
    const double below = loss(rig_, seed_, states_), low = static_cast<double>(x);
    x = was;
    return (above - below) / (high - low);
  }
  static bool near(double grad, double slope) {
    return std::abs(grad - slope) <= 5e-3 * std::max(std::abs(grad), std::abs(slope)) + 5e-4;
  }

  NodeRig& rig_;
  const uint64_t seed_;
  const std::vector<Array> states_;
};

// What the gradients of inputs, or of weights, are.
void look_at(Attempt& attempt, std::vector<NodeRig::Value>& values, bool written_by_node,
             const std::string& function, Differences& differences) {
  for (NodeRig::Value& value : values) {
    if (!value.wants_grad) continue;
    if (!written_by_node) {
      attempt.fail(ticked(value.name) + " wants a gradient, but the node has no " + function +
                   (function == "backward()" ? ": write it, or give the port {.grad = false}"
                                             : ": write it"));
      continue;
    }
    std::string complaint = unfinished(value.grad);
    if (complaint.empty() && attempt.kind.traits.exact_gradient)
      complaint = differences.complaint(value);
    attempt.expect("the gradient of " + ticked(value.name), complaint);
  }
}

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

void gradients(Attempt& attempt) {
  for (const bool frozen : {false, true}) {
    attempt.about(frozen ? " of a module that does not learn" : "");
    NodeRig rig = attempt.rig({.frozen = frozen});
    rig.observe();
    const std::vector<Array> states = rig.states;
    rig.forward();
    fill_output_grads(rig, attempt.seed);
    rig.backward();
    rig.learn();
    Differences differences(rig, attempt.seed, states);
    look_at(attempt, rig.inputs, attempt.kind.has_backward, "backward()", differences);
    look_at(attempt, rig.weights, attempt.kind.has_learn, "learn()", differences);
  }
}

void constants(Attempt& attempt) {
  NodeRig whole = attempt.rig();
  run(whole, attempt.seed);
  const auto wanting = std::count_if(whole.inputs.begin(), whole.inputs.end(),
                                     [](const NodeRig::Value& v) { return v.wants_grad; });
  const bool learns = std::any_of(whole.weights.begin(), whole.weights.end(),
                                  [](const NodeRig::Value& v) { return v.wants_grad; });
  if (wanting + learns < 2) return;  // then backward() is not called, or learn() alone
  for (const NodeRig::Value& constant : whole.inputs) {
    if (!constant.wants_grad) continue;
    attempt.about(" where `" + constant.name + "` wants no gradient");
    NodeRig rig = attempt.rig({.constant = constant.name});
    run(rig, attempt.seed);
    for (const auto member : {&NodeRig::inputs, &NodeRig::weights})
      for (size_t i = 0; i < (rig.*member).size(); ++i)
        if ((rig.*member)[i].wants_grad && unfinished((whole.*member)[i].grad).empty())
          attempt.expect("the gradient of " + ticked((rig.*member)[i].name),
                         unfinished((rig.*member)[i].grad));
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

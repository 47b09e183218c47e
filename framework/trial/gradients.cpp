// Trials of gradients: against central differences, and where some are not wanted.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "framework/language/fields.h"
#include "framework/trial/compare.h"
#include "framework/trial/trials.h"

namespace weft::trial {

namespace {

// Gives the outputs gradients that are a function of `seed`, and 0 where backward() is not the
// derivative by intent.
void fill_exact(NodeRig& rig, uint64_t seed, const std::string& inexact) {
  fill_output_grads(rig, seed);
  for (NodeRig::Value& output : rig.outputs)
    if ((" " + inexact + " ").find(" " + output.name + " ") != std::string::npos)
      std::ranges::fill(output.grad.floats, 0.0F);
}

// Σ outputs · weights, where the weights are what fill_exact() gives.
double loss(NodeRig& rig, uint64_t seed, const std::string& inexact,
            const std::vector<Array>& states) {
  set_states(rig, states);
  rig.forward();
  fill_exact(rig, seed, inexact);
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
  Differences(NodeRig& rig, const Attempt& attempt, std::vector<Array> states)
      : rig_(rig),
        seed_(attempt.seed),
        inexact_(attempt.kind.traits.inexact),
        states_(std::move(states)) {}

  std::string complaint(NodeRig::Value& value) {
    const std::vector<float> grad = value.grad.floats;
    const size_t stride = std::max<size_t>(1, grad.size() / 50);
    for (size_t i = 0; i < grad.size(); i += stride) {
      const auto given = static_cast<double>(grad[i]);
      float& x = value.value.floats[i];
      const auto agrees = [&](double step) { return near(given, slope(x, step)); };
      if (std::ranges::any_of(std::array{1e-2, 2.5e-3, 6e-4}, agrees)) continue;
      return "is " + number(given) + at(value.grad.shape, i) + ", but central differences give " +
             number(slope(x, 1e-2));
    }
    return "";
  }

 private:
  double slope(float& x, double step) {
    const float was = x;
    x = was + static_cast<float>(step);
    const double above = loss(rig_, seed_, inexact_, states_), high = static_cast<double>(x);
    x = was - static_cast<float>(step);
    const double below = loss(rig_, seed_, inexact_, states_), low = static_cast<double>(x);
    x = was;
    return (above - below) / (high - low);
  }
  static bool near(double grad, double slope) {
    return std::abs(grad - slope) <= 5e-3 * std::max(std::abs(grad), std::abs(slope)) + 5e-4;
  }

  NodeRig& rig_;
  const uint64_t seed_;
  const std::string inexact_;
  const std::vector<Array> states_;
};

using Look = std::function<std::string(NodeRig::Value&)>;  // what is wrong with its gradient, or ""

void look_at(Attempt& attempt, NodeRig& rig, const Look& complaint) {
  const auto each = [&](std::vector<NodeRig::Value>& values, bool given, const char* without) {
    for (NodeRig::Value& value : values) {
      if (!value.wants_grad) continue;
      if (given)
        attempt.expect("the gradient of " + ticked(value.name), complaint(value));
      else
        attempt.fail(ticked(value.name) + " wants a gradient, but the node has no " + without);
    }
  };
  each(rig.inputs, attempt.kind.has_backward,
       "backward(): write it, or give the port {.grad = false}");
  each(rig.weights, attempt.kind.has_learn, "learn(): write it");
}

}  // namespace

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
    look_at(attempt, rig, [](const NodeRig::Value& value) { return unfinished(value.grad); });
    if (!attempt.passed()) return;
    set_states(rig, states);
    rig.forward();
    fill_exact(rig, attempt.seed, attempt.kind.traits.inexact);
    rig.backward();
    rig.learn();
    Differences differences(rig, attempt, states);
    look_at(attempt, rig, [&](NodeRig::Value& value) { return differences.complaint(value); });
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

}  // namespace weft::trial

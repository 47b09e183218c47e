// Trials of gradients of gradients.
#include <algorithm>
#include <array>
#include <cmath>

#include "framework/language/fields.h"
#include "framework/trial/compare.h"
#include "framework/trial/trials.h"

namespace weft::trial {

namespace {
constexpr std::array steps{1e-2, 2.5e-3, 6e-4};  // a kink nearby wants a small one

bool near(double given, double slope) {
  return std::abs(given - slope) <= 5e-3 * std::max(std::abs(given), std::abs(slope)) + 5e-4;
}

// The example, and with each other word that a param may have.
std::vector<std::pair<std::string, NodeCase>> variants(const Attempt& attempt) {
  std::vector<std::pair<std::string, NodeCase>> all{{"", attempt.example()}};
  const std::unique_ptr<Node> node = attempt.kind.make();
  for (const ParamBase* param : node->host().params)
    for (const std::string& word : param->check.choices) {
      NodeCase other = attempt.example();
      other.params.put(param->name, Yaml::scalar(word, {}));
      all.emplace_back(" with " + ticked(param->name) + " at " + word, std::move(other));
    }
  return all;
}

// Runs a node along the tangents of its inputs.
class Along {
 public:
  Along(Attempt& attempt, const NodeCase& node)
      : attempt_(attempt), rig_(attempt.rig(node, {.twice = true})) {
    for (size_t i = 0; i < rig_.inputs.size(); ++i)
      if (!rig_.inputs[i].tangent.empty()) fill(rig_.inputs[i].tangent, 300 + attempt.seed + i);
  }
  Twice offers() const { return rig_.node().twice(); }

  void try_all() {
    rig_.observe();
    states_ = rig_.states;
    compute();
    const std::vector<NodeRig::Value> outputs = rig_.outputs, inputs = rig_.inputs,
                                      weights = rig_.weights;
    for (size_t i = 0; i < outputs.size() && attempt_.passed(); ++i)
      if (!outputs[i].tangent.empty())
        attempt_.expect("the tangent of " + ticked(outputs[i].name),
                        complaint_along(outputs[i], i));
    if (offers() == Twice::linear) return;
    look_at(inputs, rig_.inputs);
    look_at(weights, rig_.weights);
  }

 private:
  void forward() {
    set_states(rig_, states_);
    rig_.forward();
  }

  // The outputs, their tangents and all gradients.
  void compute() {
    if (offers() == Twice::linear) {
      move(0, 1);
      forward();
      for (NodeRig::Value& output : rig_.outputs) output.tangent = output.value;
      move(1, 0);
      return forward();
    }
    forward();
    fill_output_grads(rig_, attempt_.seed);
    rig_.backward_twice();
    rig_.learn_twice();
  }

  // Makes the inputs that have a tangent stay · value + by · tangent.
  void move(double stay, double by) {
    const bool first = given_.empty();
    for (NodeRig::Value& input : rig_.inputs) {
      if (first) given_.push_back(input.value);
      const Array& from = given_[static_cast<size_t>(&input - rig_.inputs.data())];
      for (size_t j = 0; j < input.tangent.floats.size(); ++j)
        input.value.floats[j] =
            static_cast<float>(stay * static_cast<double>(from.floats[j]) +
                               by * static_cast<double>(input.tangent.floats[j]));
    }
  }

  std::string complaint_along(const NodeRig::Value& output, size_t i) {
    if (const std::string wrong = unfinished(output.tangent); !wrong.empty()) return wrong;
    for (size_t j = 0; j < output.tangent.floats.size(); ++j) {
      const auto given = static_cast<double>(output.tangent.floats[j]);
      double slope = 0;
      const bool agrees = std::ranges::any_of(steps, [&](double step) {
        move(1, step), forward();
        const auto above = static_cast<double>(rig_.outputs[i].value.floats[j]);
        move(1, -step), forward();
        slope = (above - static_cast<double>(rig_.outputs[i].value.floats[j])) / (2 * step);
        return near(given, slope);
      });
      move(1, 0);
      if (!agrees)
        return "is " + number(given) + at(output.value.shape, j) +
               ", but central differences give " + number(slope);
    }
    return "";
  }

  // Σ y.tangent() · y.grad()
  double product() {
    compute();
    double sum = 0;
    for (const NodeRig::Value& output : rig_.outputs)
      for (size_t j = 0; j < output.tangent.floats.size(); ++j)
        sum += static_cast<double>(output.tangent.floats[j]) *
               static_cast<double>(output.grad.floats[j]);
    return sum;
  }

  void look_at(const std::vector<NodeRig::Value>& found, std::vector<NodeRig::Value>& values) {
    for (size_t i = 0; i < found.size() && attempt_.passed(); ++i)
      if (found[i].wants_grad)
        attempt_.expect("the gradient, of a tangent, of " + ticked(found[i].name),
                        complaint(found[i].grad, values[i]));
  }

  std::string complaint(const Array& grad, NodeRig::Value& value) {
    if (const std::string wrong = unfinished(grad); !wrong.empty()) return wrong;
    const size_t stride = std::max<size_t>(1, grad.floats.size() / 30);
    for (size_t j = 0; j < grad.floats.size(); j += stride) {
      const auto given = static_cast<double>(grad.floats[j]);
      const float was = value.value.floats[j];
      double slope = 0;
      const bool agrees = std::ranges::any_of(steps, [&](double step) {
        value.value.floats[j] = was + static_cast<float>(step);
        const auto high = static_cast<double>(value.value.floats[j]);
        const double above = product();
        value.value.floats[j] = was - static_cast<float>(step);
        slope = (above - product()) / (high - static_cast<double>(value.value.floats[j]));
        return near(given, slope);
      });
      value.value.floats[j] = was;
      if (!agrees)
        return "is " + number(given) + at(grad.shape, j) + ", but central differences give " +
               number(slope);
    }
    return "";
  }

  Attempt& attempt_;
  NodeRig rig_;
  std::vector<Array> states_, given_;
};
}  // namespace

void twice(Attempt& attempt) {
  for (const auto& [which, node] : variants(attempt)) {
    attempt.about(which);
    if (attempt.make(node)->twice() == Twice::no) continue;
    Along(attempt, node).try_all();
    if (!attempt.passed()) return;
  }
}

}  // namespace weft::trial

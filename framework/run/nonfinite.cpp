#include "framework/run/nonfinite.h"

#include <algorithm>
#include <cmath>

#include "framework/node/running.h"
#include "framework/plan/differentiate.h"
#include "framework/plan/order.h"

namespace weft {

namespace {
bool finite(const Tensor& tensor, int64_t rows) {
  if (tensor.dtype != DType::f32 || !tensor) return true;
  const int64_t n = std::clamp<int64_t>(rows, 0, tensor.shape.rows()) * tensor.shape.row_elements();
  return std::all_of(tensor.floats(), tensor.floats() + n,
                     [](float x) { return std::isfinite(x); });
}

// Most values are gone when a step fails; those behind the loss are computed again.
class Search {
 public:
  Search(const Plan& plan, Instances& instances, const StepState& state)
      : plan_(plan),
        instances_(instances),
        state_(state),
        parity_(static_cast<int>(state.step.number % 2)) {}

  // The first node, in order, whose output is not finite, as the phases up to `last` ran.
  NodeId first_node(const std::vector<bool>& active, size_t last) {
    const ByNode<bool> behind = ancestors(plan_, {plan_.phases[last].loss});
    if (plan_.data)
      for (const ValueId value : plan_.nodes[plan_.data].outputs)
        for (const auto& [reader, input] : plan_.values[value].readers)
          if (behind[reader] && !finite(instances_.value(value, parity_), state_.step.rows))
            return plan_.data;
    auto program = program_of(plan_, active);
    for (size_t phase = 0; phase <= last; ++phase) {
      std::erase_if(program[phase], [&](const PlanItem& item) {
        return item.kind != PlanItem::Kind::forward || !behind[item.node];
      });
      instances_.bind(phase, parity_);
      if (const NodeId found = first_of(program[phase], phase)) return found;
    }
    return {};
  }

 private:
  // Lanes go through a group one after another, each in the workspace.
  NodeId first_of(const std::vector<PlanItem>& items, size_t phase) {
    for (size_t begin = 0, end = 0; begin < items.size(); begin = end) {
      end = begin + 1;
      while (end < items.size() && items[end].stage == items[begin].stage) ++end;
      size_t first = end;
      const Range lanes = items[begin].laned ? plan_.own : Range{0, 1};
      for (int64_t lane = lanes.begin; lane < lanes.end; ++lane)
        for (size_t i = begin; i < first; ++i)
          if (!computes_finite(items[i].node, lane, phase)) first = i;
      if (first < end) return items[first].node;
    }
    return {};
  }

  bool computes_finite(NodeId n, int64_t lane, size_t phase) {
    const PlanNode& node = plan_.nodes[n];
    Instance& instance = instances_.in_lane(n, node.laned ? lane : -1);
    const Rows rows{node.laned ? lane : -1, node.laned ? 0 : -1};
    if (node.laned) instances_.bind_lane(instance, phase, parity_, 0);
    const Running now(node.path.c_str(), node.kind.c_str(), "forward()", state_.step.number);
    instance.node->forward(node.seen(state_.step));
    return std::ranges::all_of(instance.node->host().outs, [&](const Out* out) {
      if (!out->wanted()) return true;
      const ValueId value = node.outputs[out->index];
      const PlanRows& own = plan_.values[value].rows;
      const int64_t first = node.laned ? plan_.lane_rows(own, lane).begin : 0;
      return finite(instances_.value(value, parity_, rows), own.of(state_.step.rows) - first);
    });
  }

  const Plan& plan_;
  Instances& instances_;
  const StepState& state_;
  const int parity_;
};
}  // namespace

std::string explain_nonfinite(const Plan& plan, Instances& instances, const Weights& weights,
                              const StepState& state, const std::vector<bool>& active,
                              size_t phase) {
  std::string cure = ". A lower `lr` or `clip:` in the phase may keep it finite";
  const std::string from = "; the first value that is not finite comes from ";
  for (const PlanWeight& weight : plan.weights)
    if (!finite(weights[weight.name], weight.shape.rows()))
      return from + "weight `" + weight.name + "`" + cure;
  if (std::isfinite(state.losses[phase]))  // a gradient is not
    return state.step.number > 0 ? cure
                                 : "; nothing has been learned yet, so the slope of a function is "
                                   "not finite where it is taken, as that of `sqrt` at 0";
  NodeId first;
  try {
    first = Search(plan, instances, state).first_node(active, phase);
  } catch (...) {  // the first error is what the user should see
  }
  if (!first) return cure;
  const PlanNode& node = plan.nodes[first];
  return from + "node `" + node.path + "` (" + node.kind + ") at " + node.place.str();
}

}  // namespace weft

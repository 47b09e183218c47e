// The order in which the items of a phase run: lanes go through groups of items one after another,
// and items that need the whole batch stand between the groups.
#pragma once

#include <array>

#include "framework/plan/plan.h"

namespace weft {

// Finds the items that an item must wait for, among those of the phase that were added before.
class ItemIndex {
 public:
  ItemIndex(const Plan& plan, const PlanPhase& phase);

  // Positions of the items added so far that must have run before this one.
  std::vector<size_t> needs(const PlanItem& item) const;
  void add(const PlanItem& item, size_t position);
  // The position of an item of a node; -1 if it was not added.
  size_t forward(NodeId node) const { return forward_[node]; }
  size_t backward(NodeId node) const { return backward_[node]; }
  // Positions of forward and backward of every node that reads these weights.
  std::vector<size_t> readers(const std::string& weights) const;

 private:
  void gather(size_t position, std::vector<size_t>& out) const;
  void gather_readers(ValueId value, std::vector<size_t>& out) const;

  void gather_inputs(NodeId node, std::vector<size_t>& out) const;
  void gather_forward(NodeId node, std::vector<size_t>& out) const;
  void gather_backward(NodeId node, std::vector<size_t>& out) const;
  void gather_uses(NodeId node, NodeId end, std::vector<size_t>& out) const;

  const Plan& plan_;
  const PlanPhase& phase_;
  ByNode<size_t> observe_, forward_, backward_;
  ByNode<std::array<size_t, 2>> summarize_, join_;  // by pass: forward, backward
  ByValue<size_t> grad_;
};

// The items of each phase when only the phases of `active` run in a step, in the order in which
// each lane runs them, and memory is planned: by stages. What an earlier phase computed is used
// again as long as no weight above it changed.
std::vector<std::vector<PlanItem>> program_of(const Plan& plan, const std::vector<bool>& active);

}  // namespace weft

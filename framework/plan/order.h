// The order in which the items of a phase run: lanes go through groups of items one after another,
// and items that need the whole batch stand between the groups.
#pragma once

#include "framework/plan/plan.h"

namespace weft {

// Finds the items that an item must wait for, among those of the phase that were added before.
class ItemIndex {
 public:
  ItemIndex(const Plan& plan, const PlanPhase& phase);

  // Positions of the items added so far that must have run before this one.
  std::vector<size_t> needs(const PlanItem& item) const;
  void add(const PlanItem& item, size_t position);
  // Positions of forward and backward of every node that reads these weights.
  std::vector<size_t> readers(const std::string& weights) const;

 private:
  void gather(size_t position, std::vector<size_t>& out) const;
  void gather_readers(ValueId value, std::vector<size_t>& out) const;

  void gather_inputs(NodeId node, std::vector<size_t>& out) const;
  void gather_earlier_uses(NodeId node, std::vector<size_t>& out) const;

  const Plan& plan_;
  const PlanPhase& phase_;
  ByNode<size_t> observe_, forward_, backward_;
  ByValue<size_t> grad_;
};

// Gives every item its stage and sorts the items by it, keeping the order within a stage. An even
// stage 2·g is group g of every lane. An odd stage 2·g + 1 waits until all lanes have left group g,
// and group g + 1 may wait for it. Stage -1 waits for nothing. Each lane runs its items in this
// order, and memory is planned in it.
std::vector<PlanItem> staged(const Plan& plan, const PlanPhase& phase, std::vector<PlanItem> items);

}  // namespace weft

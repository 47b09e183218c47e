// When each item of a phase runs: lanes go through groups of items in order, and what needs the
// whole batch stands between them.
#pragma once

#include "framework/plan/plan.h"

namespace weft {

// The items of a phase as they are added, and what each must wait for.
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

// Gives every item its stage and sorts by it; the order within a stage stays. An even stage, 2·g,
// is group g of every lane; an odd one, 2·g + 1, waits for all lanes to leave group g, and group g
// + 1 may wait for it; stage -1 waits for nothing. This is the order in which each lane runs its
// items, and memory is planned in it.
std::vector<PlanItem> staged(const Plan& plan, const PlanPhase& phase, std::vector<PlanItem> items);

}  // namespace weft

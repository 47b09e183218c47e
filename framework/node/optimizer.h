// An optimizer: how a weight follows its gradient. It has params and slots, and no ports.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/node/node.h"

namespace weft {

// Values that an optimizer keeps for every element of every weight. They start at zero.
class WEFT_API Slot {
 public:
  Slot(Node* owner, const char* name, const char* doc);
  Slot(const Slot&) = delete;
  const char* const name;
  const char* const doc;
  const size_t index;
};

// One block of one weight, its gradient, and its part of each slot.
struct Update {
  const Shape& shape;  // of the block: rows of the weight
  float* weight;
  const float* grad;
  const std::vector<float*>& slots;
  int64_t number;  // counts the updates, from 1

  int64_t size() const { return shape.elements(); }
  float* operator[](const Slot& slot) const { return slots[slot.index]; }
};

// update() is called for many blocks at once, by several threads.
class WEFT_API Optimizer : public Node {
 public:
  virtual void update(const Update&) const = 0;
  // True if an element's update depends on others, as by the norm of the weight (You et al. 2020,
  // LAMB): each block is then a whole weight.
  virtual bool whole_weight() const { return false; }
  void infer() override {}  // may refuse params that do not go together
  void forward(const Step&) final {}
};

}  // namespace weft

// The numbers that a run learns: weights and states by name, shared by all plans of a pipeline.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/formats/safetensors.h"
#include "framework/plan/plan.h"
#include "framework/run/buffer.h"

namespace weft {

// Every weight and state, named "module.node.weight".
class Weights {
 public:
  // Makes the weights and states that the plan needs and that are not there yet. They start as
  // their Init says, with random numbers of the key (seed, "weights/NAME"), or as what they follow.
  void add(const Plan& plan);
  // Makes what follows in the plan equal to what it follows.
  void follow(const Plan& plan);
  // Overwrites those whose name starts with `ours` ("" for all) by those of a checkpoint, where the
  // name starts with `theirs` instead. Throws Error(checkpoint) if one is missing there or has
  // another shape.
  void load(const std::map<std::string, Tensor>& from, const std::string& ours = "",
            const std::string& theirs = "");

  Tensor operator[](const std::string& name) const { return tensors_.at(name).view; }
  std::vector<NamedTensor> tensors() const;  // sorted by name

 private:
  Tensor make(const std::string& name, const Shape& shape);
  std::map<std::string, OwnedTensor> tensors_;
};

}  // namespace weft

// The numbers a run learns: weights and states by name, shared by all plans of a pipeline.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/formats/safetensors.h"
#include "framework/plan/plan.h"
#include "framework/run/buffer.h"

namespace weft {

// "module.node.weight" of every weight and state.
class Weights {
 public:
  // Makes what the plan needs and is not there yet: weights start as their Init says, drawn with
  // the key (seed, "weights/NAME").
  void add(const Plan& plan);
  // Overwrites weights and states from a checkpoint, each renamed from `theirs` to `ours` prefix
  // ("" for all). Throws Error(checkpoint) if one of ours is missing or has another shape.
  void load(const std::map<std::string, Tensor>& from, const std::string& ours = "",
            const std::string& theirs = "");

  Tensor operator[](const std::string& name) const { return tensors_.at(name).view; }
  std::vector<NamedTensor> tensors() const;  // sorted by name

 private:
  Tensor make(const std::string& name, const Shape& shape);
  std::map<std::string, OwnedTensor> tensors_;
};

}  // namespace weft

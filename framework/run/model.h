// The numbers a run learns: weights and states by name, shared by all plans of a pipeline.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/plan/plan.h"
#include "framework/run/safetensors.h"

namespace weft {

// Zeroed memory, aligned for any vector unit. Throws Error(resources) when there is none.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t bytes);
  std::byte* data() const { return data_.get(); }
  float* floats() const { return reinterpret_cast<float*>(data_.get()); }

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  std::unique_ptr<std::byte, Free> data_;
};

class Model {
 public:
  // Makes what the plan needs and this model has not: weights start as their Init says, drawn with
  // the key (seed, "weights/NAME"); states at their start.
  void add(const Plan& plan);
  // Overwrites weights and states from a checkpoint, each renamed from `theirs` to `ours` prefix
  // ("" for all). Throws Error(checkpoint) if one of ours is missing or has another shape.
  void load(const std::map<std::string, Tensor>& from, const std::string& ours = "",
            const std::string& theirs = "");

  Tensor operator[](const std::string& name) const { return tensors_.at(name).view; }
  std::vector<NamedTensor> tensors() const;  // sorted by name

 private:
  struct Owned {
    Tensor view;
    Buffer memory;
  };
  Tensor make(const std::string& name, const Shape& shape);
  std::map<std::string, Owned> tensors_;
};

// Weights of modules that come `from` another run, of the checkpoint that they name, else its last.
// Says of each where it is from: "`encoder` is of step 400 of runs/a".
std::vector<std::string> load_transferred(Model& model, const Pipeline& pipeline);
// Notes each of those checkpoints that is not there or not whole.
void check_transferred(const Pipeline& pipeline, Mistakes& mistakes);

}  // namespace weft

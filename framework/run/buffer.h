// The memory of tensors.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

#include "framework/node/shape.h"

namespace weft {

// Zeroed memory, aligned for any vector unit. Throws Error(resources) if it cannot be had.
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

// A tensor of f32 numbers in memory of its own, zeros at first.
struct OwnedTensor {
  OwnedTensor() = default;
  explicit OwnedTensor(const Shape& shape);
  Tensor view;
  Buffer memory;
};

}  // namespace weft

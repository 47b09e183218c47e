// Shapes and tensors: row-major, with up to eight axes, of which axis 0 is the batch.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "framework/node/error.h"

namespace weft {

enum class DType : uint8_t { f32, i32 };
WEFT_API const char* name(DType);  // "f32", "i32"
constexpr size_t bytes(DType) {
  return 4;
}

// Is it a whole number that i32 holds?
inline bool is_i32(double number) {
  return number >= -0x1p31 && number < 0x1p31 && number == std::nearbyint(number);
}

class WEFT_API Shape {
 public:
  static constexpr size_t max_rank = 8;

  Shape() = default;  // [] is a scalar
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims);  // throws Error: more than 8 axes, negative extent

  size_t rank() const { return rank_; }
  int64_t operator[](size_t axis) const { return dims_[axis]; }
  int64_t front() const { return dims_[0]; }         // rank() > 0
  int64_t back() const { return dims_[rank_ - 1]; }  // rank() > 0
  int64_t elements() const {                         // throws Error(resources) beyond 2^40
    if (elements_ < 0) [[unlikely]]
      refuse();
    return elements_;
  }
  int64_t rows() const { return rank_ ? dims_[0] : 1; }
  int64_t row_elements() const {  // of one row: the product of all axes but the first; as above
    if (row_elements_ < 0) [[unlikely]]
      refuse();
    return row_elements_;
  }
  Shape with(size_t axis, int64_t extent) const;
  Shape with_front(int64_t extent) const { return with(0, extent); }
  Shape with_back(int64_t extent) const { return with(rank_ - 1, extent); }
  Shape inserted(size_t axis, int64_t extent) const;  // before an axis, or behind all
  Shape without(size_t axis) const;
  Shape without_front() const { return without(0); }
  std::span<const int64_t> dims() const { return {dims_.data(), rank_}; }
  bool operator==(const Shape&) const = default;
  std::string str() const;                   // "[128, 784]"
  std::string index(int64_t element) const;  // where one stands, "[2, 3]"

 private:
  void count();
  [[noreturn]] void refuse() const;

  std::array<int64_t, max_rank> dims_{};
  size_t rank_ = 0;
  int64_t elements_ = 1, row_elements_ = 1;  // -1: more than 2^40
};

// A view of contiguous row-major numbers. It owns nothing; `data` is null where there is nothing,
// floats() where the numbers are i32, and ints() where they are f32.
struct WEFT_API Tensor {
  Shape shape;
  DType dtype = DType::f32;
  void* data = nullptr;

  float* floats() const { return dtype == DType::f32 ? static_cast<float*>(data) : nullptr; }
  int32_t* ints() const { return dtype == DType::i32 ? static_cast<int32_t*>(data) : nullptr; }
  int64_t size() const { return shape.elements(); }
  std::span<float> span() const { return {floats(), static_cast<size_t>(size())}; }
  explicit operator bool() const { return data != nullptr; }
  Tensor slice(int64_t begin, int64_t end) const;  // rows [begin, end) of axis 0
};

}  // namespace weft

#include "framework/node/shape.h"

#include <vector>

namespace weft {

const char* name(DType dtype) {
  return dtype == DType::f32 ? "f32" : "i32";
}

namespace {
int64_t checked(int64_t extent) {
  if (extent < 0) throw Error("an axis cannot have the extent " + std::to_string(extent));
  return extent;
}
}  // namespace

Shape::Shape(std::span<const int64_t> dims) : rank_(dims.size()) {
  if (dims.size() > max_rank)
    throw Error("a shape has at most 8 axes, not " + std::to_string(dims.size()));
  for (size_t axis = 0; axis < dims.size(); ++axis) dims_[axis] = checked(dims[axis]);
  count();
}

void Shape::count() {
  constexpr int64_t limit = int64_t{1} << 40;
  const auto times = [](int64_t product, int64_t extent) {
    if (product < 0 || __builtin_mul_overflow(product, extent, &product) || product > limit)
      return int64_t{-1};
    return product;
  };
  elements_ = row_elements_ = 1;
  for (size_t axis = 0; axis < rank_; ++axis) {
    elements_ = times(elements_, dims_[axis]);
    if (axis > 0) row_elements_ = times(row_elements_, dims_[axis]);
  }
}

void Shape::refuse() const {
  throw Error(Exit::resources, "the shape " + str() + " has more than 2^40 elements");
}

Shape Shape::with(size_t axis, int64_t extent) const {
  Shape shape = *this;
  shape.dims_[axis] = checked(extent);
  shape.count();
  return shape;
}

Shape Shape::inserted(size_t axis, int64_t extent) const {
  std::vector<int64_t> all(dims().begin(), dims().end());
  all.insert(all.begin() + static_cast<std::ptrdiff_t>(axis), extent);
  return Shape(all);
}

Shape Shape::without(size_t axis) const {
  std::vector<int64_t> all(dims().begin(), dims().end());
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(axis));
  return Shape(all);
}

std::string Shape::str() const {
  std::string text = "[";
  for (const int64_t extent : dims())
    text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + "]";
}

std::string Shape::index(int64_t element) const {
  std::string indices;
  for (size_t axis = rank_; axis-- > 0; element /= dims_[axis])
    indices = std::to_string(element % dims_[axis]) + (indices.empty() ? "" : ", ") + indices;
  return "[" + indices + "]";
}

Tensor Tensor::slice(int64_t begin, int64_t end) const {
  const int64_t offset = begin * shape.row_elements() * static_cast<int64_t>(bytes(dtype));
  return {shape.with_front(end - begin), dtype, data ? static_cast<char*>(data) + offset : nullptr};
}

}  // namespace weft

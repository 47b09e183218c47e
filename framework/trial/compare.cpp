#include "framework/trial/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace weft::trial {

namespace {

uint32_t bits(float f) {
  return std::bit_cast<uint32_t>(f);
}

double typical(const std::vector<float>& numbers) {
  double squares = 0;
  for (const float f : numbers) squares += static_cast<double>(f) * static_cast<double>(f);
  return numbers.empty() ? 0 : std::sqrt(squares / static_cast<double>(numbers.size()));
}

std::string told(float f) {
  return unwritten(f) ? "never written" : number(static_cast<double>(f));
}

}  // namespace

std::string number(double x) {
  return fmt::format("{:.6g}", x);
}

std::string at(const Shape& shape, size_t element) {
  return shape.rank() == 0 ? "" : " at " + shape.index(static_cast<int64_t>(element));
}

std::string unfinished(const Array& array) {
  for (size_t i = 0; i < array.floats.size(); ++i)
    if (!std::isfinite(array.floats[i])) return "is " + told(array.floats[i]) + at(array.shape, i);
  for (size_t i = 0; i < array.ints.size(); ++i)
    if (unwritten(array.ints[i])) return "is never written" + at(array.shape, i);
  return "";
}

std::string difference(const Array& got, const Array& expected, double tolerance) {
  if (got.shape != expected.shape)
    return "is " + got.shape.str() + ", and not " + expected.shape.str();
  const double size = tolerance > 0 ? typical(expected.floats) : 0;
  for (size_t i = 0; i < got.floats.size(); ++i) {
    const float a = got.floats[i], b = expected.floats[i];
    if (bits(a) == bits(b)) continue;
    const double x = static_cast<double>(a), y = static_cast<double>(b);
    if (tolerance > 0 && std::abs(x - y) <= tolerance * (std::abs(y) + size)) continue;
    const bool close = number(x) == number(y);
    return "is " + told(a) + at(got.shape, i) + ", and not " + told(b) +
           (close ? fmt::format(" (they differ by {:.2g})", x - y) : "");
  }
  for (size_t i = 0; i < got.ints.size(); ++i)
    if (got.ints[i] != expected.ints[i])
      return "is " + std::to_string(got.ints[i]) + at(got.shape, i) + ", and not " +
             std::to_string(expected.ints[i]);
  return "";
}

std::string difference_of_rows(const Array& got, const Array& expected, int64_t rows,
                               double tolerance) {
  const auto head = [rows](const Array& array) {
    if (array.shape.rank() == 0 || array.empty()) return array;
    Array some = array;
    some.shape = array.shape.with_front(std::min(rows, array.shape.rows()));
    const auto size = static_cast<size_t>(some.shape.elements());
    if (some.dtype == DType::f32)
      some.floats.resize(size);
    else
      some.ints.resize(size);
    return some;
  };
  return difference(head(got), head(expected), tolerance);
}

bool same_bits(const Array& a, const Array& b) {
  return std::ranges::equal(a.floats, b.floats, {}, bits, bits) && a.ints == b.ints;
}

}  // namespace weft::trial

#include <algorithm>
#include <type_traits>

#include "framework/node/plugin.h"
#include "nodes/math/shared_value.h"

namespace weft {
namespace {

const Check fits_i32 = within(-0x1p31, 0x1p31 - 1);

// `Number` is double or int64_t; values are f32 or i32.
template <class Number>
class Constant final : public SharedValue {
  static constexpr bool whole = std::is_same_v<Number, int64_t>;
  Out y{this, "y",
        "[1, *shape], which all samples share; with `like`, a copy for each. Without `shape`, [1] "
        "of one number, [1, n] of several.",
        whole ? DType::i32 : DType::f32};
  Param<std::vector<Number>> value{this, "value",
                                   "A number, or a list; again and again, if `shape` has more.",
                                   required, whole ? fits_i32 : Check{}};
  Param<std::vector<int64_t>> shape{this, "shape", "Of a row.", std::vector<int64_t>{},
                                    at_least(1)};

  void infer() override {
    const auto n = static_cast<int64_t>(value->size());
    if (n == 0) throw Error("`value` is an empty list, but must have a number");
    SharedValue::shape(y, shape->empty() && n > 1 ? std::vector{n} : *shape);
    if (y.row_size() % n != 0)
      throw Error("`value` has " + std::to_string(n) + " numbers, which do not fill " +
                  y.shape().without_front().str() + " a whole number of times");
  }

  void forward(const Step&) override {
    const size_t n = value->size();
    for (int64_t i = 0; i < y.size(); ++i) {
      const Number number = (*value)[static_cast<size_t>(i) % n];
      if constexpr (whole)
        y.ints()[i] = static_cast<int32_t>(number);
      else
        y.data()[i] = static_cast<float>(number);
    }
  }
};

using FloatConstant = Constant<double>;
using IntConstant = Constant<int64_t>;

class IntRange final : public SharedValue {
  Out y{this, "y",
        "start, start + step, …, [1, count], which all samples share; with `like`, a copy for "
        "each, [batch, count].",
        DType::i32};
  Param<int64_t> count{this, "count", "How many numbers.", required, within(1, 1 << 24)};
  Param<int64_t> start{this, "start", "The first.", 0, fits_i32};
  Param<int64_t> by{this, "step", "From each to the next.", 1, fits_i32};

  int64_t number(int64_t i) const { return *start + i * *by; }

  void infer() override {
    if (const int64_t last = number(*count - 1); last != static_cast<int32_t>(last))
      throw Error("the last number is " + std::to_string(last) +
                  ", which is beyond what i32 holds");
    shape(y, {*count});
  }

  void forward(const Step&) override {
    for (int64_t i = 0; i < y.size(); ++i) y.ints()[i] = static_cast<int32_t>(number(i % *count));
  }
};

WEFT_NODE(FloatConstant, "constant", "Numbers of the pipeline, the same for each sample.",
          "{like: [4, 3], value: [0.5, -1, 2], shape: [2, 3]}")
WEFT_NODE(IntConstant, "int_constant",
          "Whole numbers of the pipeline, the same for each sample: labels, places.",
          "{like: [4, 3], value: [3, -1, 2], shape: [2, 3]}")
WEFT_NODE(IntRange, "range", "Whole numbers in even steps, such as the places of all tokens.",
          "{like: [4, 3], count: 5, start: 7, step: -2}")

}  // namespace
}  // namespace weft

// Operands of products in bf16: copies, rounded just before. Not for nodes.
#pragma once

#include <cstdint>

#include "framework/node/dnn.h"

namespace weft::dnn {

// Whether a product that is built now, in this thread, of so many operations over operands of so
// many numbers, gains more from bf16 than the copies cost. By rule, not by timing: the same bits
// with every run. A copy costs about 0.1 ns, and 64 operations take 0.16 ns less.
bool rounds(double flops, double numbers);

// To nearest, ties to even; NaN stays NaN.
WEFT_API void round(const float* from, uint16_t* to, int64_t n);

// A copy of a stack of matrices without gaps, lines along its unit stride.
class Rounded {
 public:
  static bool suits(const Matrix& m) { return m.row_stride == 1 || m.col_stride == 1; }
  explicit Rounded(const Matrix& from);
  const Matrix& layout() const { return to_; }
  size_t bytes() const {
    return 2 * static_cast<size_t>(lines_ * length_ * from_.outer * from_.inner);
  }
  void operator()(const float* from, uint16_t* to) const;

 private:
  Matrix from_, to_;
  int64_t lines_, length_, stride_;
};

}  // namespace weft::dnn

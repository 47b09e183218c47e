// Operands of products in bf16: copies, which are rounded just before the product. Not for nodes.
#pragma once

#include <cstdint>

#include "framework/node/dnn.h"

namespace weft::dnn {

// Does a product that this thread builds now, of so many operations on operands of so many numbers,
// gain more from bf16 than the copies cost? It is decided by a rule, not by timing, so that every
// run has the same bits: copying a number costs about 0.1 ns, and bf16 saves 0.16 ns in 64
// operations.
bool rounds(double flops, double numbers);

// Rounds to nearest, ties to even; NaN stays NaN.
WEFT_API void round(const float* from, uint16_t* to, int64_t n);

// Makes rounded copies of a stack of matrices: without gaps, line by line along its unit stride.
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

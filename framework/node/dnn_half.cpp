#include "framework/node/dnn_half.h"

#include <bit>

#include "framework/node/dnn_call.h"
#include "framework/node/simd.h"

namespace weft {

namespace {
thread_local Precision precision = Precision::f32;

WEFT_SIMD void round_lines(const float* __restrict from, uint16_t* __restrict to, int64_t lines,
                           int64_t length, int64_t stride) {
  for (int64_t line = 0; line < lines; ++line, from += stride, to += length)
    for (int64_t i = 0; i < length; ++i) {
      const auto bits = std::bit_cast<uint32_t>(from[i]);
      const uint32_t even = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
      const uint32_t quiet = (bits >> 16) | 0x40;
      to[i] = static_cast<uint16_t>((bits & 0x7FFFFFFF) > 0x7F800000 ? quiet : even);
    }
}
}  // namespace

PrecisionScope::PrecisionScope(Precision of_products)
    : before_(std::exchange(precision, of_products)) {}

PrecisionScope::~PrecisionScope() {
  precision = before_;
}

bool dnn_has_bf16() {
  const int bf16 = dnnl_cpu_isa_avx512_core_bf16;  // newer sets include its bits
  return (dnnl_get_effective_cpu_isa() & bf16) == bf16;
}

bool dnn::rounds(double flops, double numbers) {
  return precision == Precision::bf16 && flops >= 64 * numbers;
}

void dnn::round(const float* from, uint16_t* to, int64_t n) {
  round_lines(from, to, 1, n, 0);
}

dnn::Rounded::Rounded(const Matrix& from) : from_(from), to_(from) {
  const bool by_rows = from.col_stride == 1;
  lines_ = by_rows ? from.rows : from.cols;
  length_ = by_rows ? from.cols : from.rows;
  stride_ = by_rows ? from.row_stride : from.col_stride;
  (by_rows ? to_.row_stride : to_.col_stride) = length_;
  to_.inner_stride = from.rows * from.cols;
  to_.outer_stride = from.inner * to_.inner_stride;
  if (stride_ == length_) length_ *= std::exchange(lines_, 1);
}

void dnn::Rounded::operator()(const float* from, uint16_t* to) const {
  for (int64_t o = 0; o < from_.outer; ++o)
    for (int64_t i = 0; i < from_.inner; ++i)
      round_lines(from + o * from_.outer_stride + i * from_.inner_stride,
                  to + o * to_.outer_stride + i * to_.inner_stride, lines_, length_, stride_);
}

}  // namespace weft

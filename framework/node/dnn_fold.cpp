#include "framework/node/dnn_fold.h"

#include <algorithm>

#include "framework/node/simd.h"

namespace weft {

namespace {
WEFT_SIMD void add(const float* __restrict from, float* __restrict to, int64_t step, int64_t n) {
  if (step == 1)
    for (int64_t i = 0; i < n; ++i) to[i] += from[i];
  else
    for (int64_t i = 0; i < n; ++i) to[i * step] += from[i];
}
}  // namespace

Fold::Fold(const ConvolutionShape& shape)
    : s_(shape),
      rows_((s_.y_size[0] - 1) * s_.stride[0] + (s_.kernel[0] - 1) * s_.dilation[0] + 1),
      cols_((s_.y_size[1] - 1) * s_.stride[1] + (s_.kernel[1] - 1) * s_.dilation[1] + 1),
      product_(Matrix::plain(s_.out, taps()).t(), Matrix::plain(sites(), s_.out).t(),
               Matrix::plain(taps(), sites())),
      columns_(static_cast<size_t>(taps() * sites())),
      planes_(static_cast<size_t>(s_.in * rows_ * cols_)) {}

void Fold::operator()(float* x, const float* w, const float* y) {
  for (int64_t n = 0; n < s_.batch; ++n) {
    product_(w, y + n * sites() * s_.out, columns_.data());
    add_up();
    copy_to(x + n * s_.x_size[0] * s_.x_size[1] * s_.in);
  }
}

// Adds the column of each tap to the pixels that the tap meets, row by row of y.
void Fold::add_up() {
  std::fill(planes_.begin(), planes_.end(), 0.0F);
  const float* column = columns_.data();
  for (int64_t c = 0; c < s_.in; ++c)
    for (int64_t ky = 0; ky < s_.kernel[0]; ++ky)
      for (int64_t kx = 0; kx < s_.kernel[1]; ++kx)
        for (int64_t oy = 0; oy < s_.y_size[0]; ++oy, column += s_.y_size[1])
          add(column,
              planes_.data() + (c * rows_ + oy * s_.stride[0] + ky * s_.dilation[0]) * cols_ +
                  kx * s_.dilation[1],
              s_.stride[1], s_.y_size[1]);
}

// Copies the planes to an image, without the padding; pixels that no window reaches become zero.
void Fold::copy_to(float* image) const {
  const int64_t top = s_.padding[0], left = s_.padding[1], in = s_.in;
  for (int64_t i = 0; i < s_.x_size[0]; ++i)
    for (int64_t j = 0; j < s_.x_size[1]; ++j)
      for (int64_t c = 0; c < in; ++c)
        image[(i * s_.x_size[1] + j) * in + c] =
            top + i < rows_ && left + j < cols_
                ? planes_[static_cast<size_t>((c * rows_ + top + i) * cols_ + left + j)]
                : 0;
}

}  // namespace weft

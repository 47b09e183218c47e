// Convolutions of 3 × 3 with fewer multiplications: Winograd's minimal filtering F(2 × 2, 3 × 3),
// as in Lavin & Gray 2015, arXiv:1509.09308. Not for nodes.
//
// y is cut into tiles of 2 × 2 pixels, each a function of 4 × 4 pixels d of x. With
//   V = Bᵀ d B,  U = G g Gᵀ of the kernel g,  y = Aᵀ (U ⊙ V) A
// the sums over channels are 16 matrix products, [tiles, in] × [in, out]: 16 multiplications where
// there were 36. The gradient of x is the same with the kernel turned round; that of w is
// Gᵀ (Σ V ⊙ A dy Aᵀ) G. All transforms run along channels, a few rows of tiles at a time.
#pragma once

#include <algorithm>

#include "framework/node/dnn.h"
#include "framework/node/dnn_call.h"

namespace weft::dnn {

class Winograd {
 public:
  // Is it faster than a direct convolution? Decided by a rule, not by timing.
  static bool suits(const ConvolutionShape& shape);
  Winograd(Convolution::Of of, const ConvolutionShape& shape, const ConvolutionOptions& options);

  void to_y(const float* x, const float* w, float* y, const float* bias);
  void to_x(float* x, const float* w, const float* y);
  void to_w(const float* x, float* w, const float* y, float* bias);

 private:
  // Parts of the calling thread's scratch memory. Weights: packed [3, 3, in, out], line [4, 3, in,
  // out] with one axis transformed, u [4, 4, in, out] with both. Tiles of few_ lines, [16, tiles,
  // channels]: v those of from_, m those of to_. Four rows of pixels: as they are, and transformed.
  struct Parts {
    float *packed, *line, *u, *v, *m, *pixels, *rows;
  };
  struct Image {
    ConvolutionShape::Pair size;
    int64_t channels;
    int64_t numbers() const { return size[0] * size[1] * channels; }
  };
  struct Line {  // tiles side by side, row `row` of an image; line `at` of the `of` in v and m
    int64_t image, row, at, of;
  };

  Parts parts() const;
  int64_t lines() const { return batch_ * tiles_[0]; }
  Line line(int64_t first, int64_t at, int64_t of) const {
    return {(first + at) / tiles_[0], (first + at) % tiles_[0], at, of};
  }
  int64_t kernels() const { return from_.channels * to_.channels; }
  void convolve(const float* from, const float* w, float* to, const float* bias, bool turned);
  void tiles_of(const float* images, const Line& line, const Parts& p) const;
  void tiles_of_grad(const float* images, const Line& line, const Parts& p) const;
  void draw(const Line& line, float* images, const float* bias, const Parts& p) const;
  // Calls f(first line, lines, their 16 products) for a few lines at a time.
  template <class F>
  void each_few(F f) const {
    for (int64_t first = 0; first < lines(); first += few_) {
      const int64_t few = std::min(few_, lines() - first);
      f(first, few, few == few_ ? product_ : last_);
    }
  }

  ConvolutionOptions options_;
  int64_t batch_, few_;                     // few_: how many lines are transformed at a time
  Image from_, to_;                         // x and y; for the gradient of x the other way round
  ConvolutionShape::Pair padding_, tiles_;  // tiles_: how many along each axis of an image
  Matmul product_, last_;                   // for few_ lines, and for the rest at the end
  Call pack_;                               // reorders weights to [3, 3, in, out], or from it
};

}  // namespace weft::dnn

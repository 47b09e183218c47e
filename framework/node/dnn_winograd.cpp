#include "framework/node/dnn_winograd.h"

#include <algorithm>

#include "framework/node/loops.h"
#include "framework/node/simd.h"

namespace weft::dnn {

namespace {
using Pair = ConvolutionShape::Pair;
constexpr int64_t cached = 1 << 18;        // numbers in the tiles transformed at once: 1 MiB
constexpr int64_t enough_rows = 64;        // that a product needs, so that u is read seldom
constexpr int64_t enough_tiles = 128;      // so that transforming the kernel takes little time
constexpr int64_t most_kernels = 1 << 18;  // in × out: 37 MiB of scratch memory a thread
// The time of a tile, in multiplications, as measured: 16, and transforms that take as long as 12.
// A direct convolution takes 9 for each pixel.
constexpr int64_t tile_cost = 28;

// The functions below transform n numbers side by side, such as channels. The rows of a result lie
// n apart, or `stride` where that is given.

// t = Bᵀ d, where d has four rows.
WEFT_SIMD void tile_rows(const float* __restrict d, int64_t n, float* __restrict t) {
  const float* __restrict d1 = d + n, * __restrict d2 = d1 + n, * __restrict d3 = d2 + n;
  float* __restrict t1 = t + n, * __restrict t2 = t1 + n, * __restrict t3 = t2 + n;
  for (int64_t i = 0; i < n; ++i) {
    t[i] = d[i] - d2[i];
    t1[i] = d1[i] + d2[i];
    t2[i] = d2[i] - d1[i];
    t3[i] = d1[i] - d3[i];
  }
}

// v = t B, from left to right, for tiles two pixels apart.
WEFT_SIMD void tile_columns(const float* __restrict t, int64_t tiles, int64_t c, int64_t stride,
                            float* __restrict v) {
  float* __restrict v1 = v + stride, * __restrict v2 = v1 + stride, * __restrict v3 = v2 + stride;
  for (int64_t tile = 0; tile < tiles; ++tile, t += 2 * c, v += c, v1 += c, v2 += c, v3 += c)
    for (int64_t j = 0; j < c; ++j) {
      const float a = t[j], b = t[c + j], d = t[2 * c + j], e = t[3 * c + j];
      v[j] = a - d, v1[j] = b + d, v2[j] = d - b, v3[j] = b - e;
    }
}

// t = A d, where d has two rows.
WEFT_SIMD void grad_rows(const float* __restrict d, int64_t n, float* __restrict t) {
  float* __restrict t1 = t + n, * __restrict t2 = t1 + n, * __restrict t3 = t2 + n;
  for (int64_t i = 0; i < n; ++i) {
    const float a = d[i], b = d[n + i];
    t[i] = a, t1[i] = a + b, t2[i] = a - b, t3[i] = -b;
  }
}

WEFT_SIMD void grad_columns(const float* __restrict t, int64_t tiles, int64_t c, int64_t stride,
                            float* __restrict v) {
  float* __restrict v1 = v + stride, * __restrict v2 = v1 + stride, * __restrict v3 = v2 + stride;
  for (int64_t tile = 0; tile < tiles; ++tile, t += 2 * c, v += c, v1 += c, v2 += c, v3 += c)
    for (int64_t j = 0; j < c; ++j) {
      const float a = t[j], b = t[c + j];
      v[j] = a, v1[j] = a + b, v2[j] = a - b, v3[j] = -b;
    }
}

// s = Aᵀ m, where m has four rows, `stride` apart, and s two, `apart` apart.
WEFT_SIMD void result_rows(const float* __restrict m, int64_t n, int64_t stride, int64_t apart,
                           float* __restrict s) {
  const float* __restrict m1 = m + stride, * __restrict m2 = m1 + stride, * __restrict m3 = m2 + stride;
  float* __restrict below = s + apart;
  for (int64_t i = 0; i < n; ++i) {
    s[i] = m[i] + m1[i] + m2[i];
    below[i] = m1[i] - m2[i] - m3[i];
  }
}

// y = s A, from left to right: each tile becomes two pixels.
WEFT_SIMD void result_columns(const float* __restrict s, int64_t tiles, int64_t c, int64_t n,
                              float* __restrict y) {
  const float* __restrict s1 = s + n, * __restrict s2 = s1 + n, * __restrict s3 = s2 + n;
  for (int64_t tile = 0; tile < tiles; ++tile, s += c, s1 += c, s2 += c, s3 += c, y += 2 * c)
    for (int64_t j = 0; j < c; ++j) {
      y[j] = s[j] + s1[j] + s2[j];
      y[c + j] = s1[j] - s2[j] - s3[j];
    }
}

// u = G g, where g has three rows, `step` apart (negative for a kernel turned round).
WEFT_SIMD void kernel_line(const float* __restrict g, int64_t step, int64_t n, int64_t stride,
                           float* __restrict u) {
  const float* __restrict g1 = g + step, * __restrict g2 = g1 + step;
  float* __restrict u1 = u + stride, * __restrict u2 = u1 + stride, * __restrict u3 = u2 + stride;
  for (int64_t i = 0; i < n; ++i) {
    const float sides = 0.5F * (g[i] + g2[i]), middle = 0.5F * g1[i];
    u[i] = g[i], u1[i] = sides + middle, u2[i] = sides - middle, u3[i] = g2[i];
  }
}

// g = Gᵀ u, where u has four rows, `step` apart, and g three.
WEFT_SIMD void kernel_grad_line(const float* __restrict u, int64_t step, int64_t n, int64_t stride,
                                float* __restrict g) {
  const float* __restrict u1 = u + step, * __restrict u2 = u1 + step, * __restrict u3 = u2 + step;
  float* __restrict g1 = g + stride, * __restrict g2 = g1 + stride;
  for (int64_t i = 0; i < n; ++i) {
    const float even = 0.5F * (u1[i] + u2[i]), odd = 0.5F * (u1[i] - u2[i]);
    g[i] = u[i] + even, g1[i] = odd, g2[i] = even + u3[i];
  }
}

// Copies rows of an image from `top` on, and of each `cols` pixels from -left on. Pixels outside of
// the image are zero.
void cut(const float* image, const Pair& size, int64_t c, int64_t top, int64_t left, int64_t rows,
         int64_t cols, float* to) {
  const int64_t own = std::min(size[1], cols - left);
  for (int64_t row = top; row < top + rows; ++row, to += cols * c) {
    const bool within = row >= 0 && row < size[0];
    const int64_t begin = within ? left * c : cols * c, end = within ? (left + own) * c : cols * c;
    std::fill(to, to + begin, 0.0F);
    if (within) std::copy_n(image + row * size[1] * c, end - begin, to + begin);
    std::fill(to + end, to + cols * c, 0.0F);
  }
}

int64_t divided(int64_t n, int64_t by) {  // rounded up
  return (n + by - 1) / by;
}

Pair halves(const Pair& size) {
  return {divided(size[0], 2), divided(size[1], 2)};
}
}  // namespace

// The multiplications saved must outweigh the transforms. Those of the tiles grow with the sum of
// the channels; that of the kernel is made once for all tiles.
bool Winograd::suits(const ConvolutionShape& s) {
  const bool plain = s.kernel == Pair{3, 3} && s.stride == Pair{1, 1} && s.dilation == Pair{1, 1} &&
                     s.groups == 1 && s.batch > 0;
  if (!plain || s.padding[0] > 2 || s.padding[1] > 2) return false;
  const auto saves = [&](const Pair& size) {
    const int64_t tiles = halves(size)[0] * halves(size)[1];
    return 9 * size[0] * size[1] >= tile_cost * tiles && s.batch * tiles >= enough_tiles;
  };
  return s.in >= 32 && s.out >= 32 && s.in * s.out <= most_kernels && saves(s.x_size) &&
         saves(s.y_size);
}

Winograd::Winograd(Convolution::Of of, const ConvolutionShape& s, const ConvolutionOptions& options)
    : options_(options), batch_(s.batch), from_{s.x_size, s.in}, to_{s.y_size, s.out} {
  padding_ = s.padding;
  if (of == Convolution::Of::x) {
    std::swap(from_, to_);
    padding_ = {2 - s.padding[0], 2 - s.padding[1]};
  }
  tiles_ = halves(to_.size);
  const int64_t c = from_.channels, o = to_.channels;
  const int64_t most =
      std::max(cached / (16 * tiles_[1] * (c + o)), divided(enough_rows, tiles_[1]));
  few_ = divided(lines(), divided(lines(), most));

  const PrecisionScope f32_only(Precision::f32);
  const auto stack = [](int64_t rows, int64_t cols) {
    return Matrix{rows, cols, cols, 1, 16, rows * cols, 1, rows * cols};
  };
  const auto product = [&](int64_t few) {
    const Matrix v = stack(few * tiles_[1], c), m = stack(few * tiles_[1], o);
    const Matrix u = stack(s.in, s.out);
    if (of == Convolution::Of::w) return Matmul(v.t(), m, u, {.accumulate = true});
    return Matmul(v, of == Convolution::Of::x ? u.t() : u, m);
  };
  product_ = product(few_);
  if (lines() % few_ != 0) last_ = product(lines() % few_);
  const dnnl::memory::dims dims{s.out, s.in, 3, 3};
  const dnnl::memory::desc plain(dims, f32, dnnl::memory::format_tag::oihw);
  const dnnl::memory::desc packed(dims, f32, dnnl::memory::format_tag::hwio);
  const auto& from = of == Convolution::Of::w ? packed : plain;
  const auto& to = of == Convolution::Of::w ? plain : packed;
  const dnnl::reorder::primitive_desc plan(engine(), from, engine(), to,
                                           attributes(Activation::none, 0));
  pack_.input(DNNL_ARG_FROM, from);
  pack_.input(DNNL_ARG_TO, to);
  pack_.set(plan, dnnl::reorder(plan));
}

Winograd::Parts Winograd::parts() const {
  const int64_t widest = std::max(from_.channels, to_.channels);
  const int64_t four = 4 * (2 * tiles_[1] + 2) * widest;
  const int64_t numbers[]{9 * kernels(),
                          12 * kernels(),
                          16 * kernels(),
                          16 * few_ * tiles_[1] * from_.channels,
                          16 * few_ * tiles_[1] * to_.channels,
                          four,
                          four};
  const auto bytes = [&](int i) { return static_cast<size_t>(numbers[i]) * sizeof(float); };
  Scratch memory({bytes(0), bytes(1), bytes(2), bytes(3), bytes(4), bytes(5), bytes(6)});
  const auto part = [&](int i) { return static_cast<float*>(memory.part(bytes(i))); };
  return {part(0), part(1), part(2), part(3), part(4), part(5), part(6)};
}

void Winograd::to_y(const float* x, const float* w, float* y, const float* bias) {
  convolve(x, w, y, bias, false);
}

void Winograd::to_x(float* x, const float* w, const float* y) {
  convolve(y, w, x, nullptr, true);
}

void Winograd::convolve(const float* from, const float* w, float* to, const float* bias,
                        bool turned) {
  const Parts p = parts();
  const int64_t n = kernels(), step = turned ? -1 : 1;
  pack_("a reorder of weights", w, p.packed);
  for (int64_t col = 0; col < 3; ++col)
    kernel_line(p.packed + (turned ? 8 - col : col) * n, 3 * step * n, n, 3 * n, p.line + col * n);
  for (int64_t row = 0; row < 4; ++row)
    kernel_line(p.line + 3 * row * n, n, n, n, p.u + 4 * row * n);
  each_few([&](int64_t first, int64_t few, const Matmul& product) {
    for (int64_t k = 0; k < few; ++k) tiles_of(from, line(first, k, few), p);
    product(p.v, p.u, p.m);
    for (int64_t k = 0; k < few; ++k) draw(line(first, k, few), to, bias, p);
  });
}

void Winograd::to_w(const float* x, float* w, const float* y, float* bias) {
  const Parts p = parts();
  const int64_t n = kernels();
  std::fill_n(p.u, 16 * n, 0.0F);
  each_few([&](int64_t first, int64_t few, const Matmul& product) {
    for (int64_t k = 0; k < few; ++k) {
      tiles_of(x, line(first, k, few), p);
      tiles_of_grad(y, line(first, k, few), p);
    }
    product(p.v, p.m, p.u);
  });
  for (int64_t col = 0; col < 4; ++col)
    kernel_grad_line(p.u + col * n, 4 * n, n, 4 * n, p.line + col * n);
  for (int64_t row = 0; row < 3; ++row)
    kernel_grad_line(p.line + 4 * row * n, n, n, n, p.packed + 3 * row * n);
  pack_("a reorder of weights", p.packed, w);
  if (options_.bias)
    sum_rows(y, batch_ * to_.size[0] * to_.size[1], to_.channels, to_.channels, bias);
}

// Writes Bᵀ d B of each tile of a line to v.
void Winograd::tiles_of(const float* images, const Line& line, const Parts& p) const {
  const int64_t c = from_.channels, cols = 2 * tiles_[1] + 2, stride = line.of * tiles_[1] * c;
  cut(images + line.image * from_.numbers(), from_.size, c, 2 * line.row - padding_[0], padding_[1],
      4, cols, p.pixels);
  tile_rows(p.pixels, cols * c, p.rows);
  for (int64_t row = 0; row < 4; ++row)
    tile_columns(p.rows + row * cols * c, tiles_[1], c, stride,
                 p.v + 4 * row * stride + line.at * tiles_[1] * c);
}

// Writes A dy Aᵀ of each tile of a line to m.
void Winograd::tiles_of_grad(const float* images, const Line& line, const Parts& p) const {
  const int64_t c = to_.channels, cols = 2 * tiles_[1], stride = line.of * tiles_[1] * c;
  cut(images + line.image * to_.numbers(), to_.size, c, 2 * line.row, 0, 2, cols, p.pixels);
  grad_rows(p.pixels, cols * c, p.rows);
  for (int64_t row = 0; row < 4; ++row)
    grad_columns(p.rows + row * cols * c, tiles_[1], c, stride,
                 p.m + 4 * row * stride + line.at * tiles_[1] * c);
}

// Draws Aᵀ m A of each tile of a line, with bias and activation, into the image.
void Winograd::draw(const Line& line, float* images, const float* bias, const Parts& p) const {
  const int64_t c = to_.channels, n = tiles_[1] * c, stride = line.of * n, cols = to_.size[1] * c;
  for (int64_t col = 0; col < 4; ++col)
    result_rows(p.m + line.at * n + col * stride, n, 4 * stride, 4 * n, p.rows + col * n);
  for (int64_t row = 2 * line.row; row < std::min(2 * line.row + 2, to_.size[0]); ++row) {
    result_columns(p.rows + row % 2 * 4 * n, tiles_[1], c, n, p.pixels);
    if (options_.bias && bias) add_to_rows(bias, to_.size[1], c, p.pixels);
    activation_forward(options_.activation, options_.slope, p.pixels, cols);
    std::copy_n(p.pixels, cols, images + line.image * to_.numbers() + row * cols);
  }
}

}  // namespace weft::dnn

// oneDNN for node authors. Everything that depends on it is in dnn*.cpp, and what depends on its
// version in onednn2/ and onednn3/. Layouts are plain: row-major activations, weights as PyTorch
// keeps them. Each call runs in the calling thread alone.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "framework/node/error.h"

namespace weft {

// The type of the numbers that matrix products and convolutions multiply. bf16 keeps 8 bits of a
// number's 24 and takes half the time if the CPU has it; sums, weights and everything else stay
// f32.
enum class Precision { f32, bf16 };
inline const char* name(Precision p) {
  return p == Precision::bf16 ? "bf16" : "f32";
}

// While it lives, the products that this thread builds have this precision where that pays. weft
// holds one around prepare(), so a node need not care.
class WEFT_API PrecisionScope {
 public:
  explicit PrecisionScope(Precision of_products);
  ~PrecisionScope();
  PrecisionScope(const PrecisionScope&) = delete;
  PrecisionScope& operator=(const PrecisionScope&) = delete;

 private:
  Precision before_;
};
WEFT_API bool dnn_has_bf16();  // does this CPU multiply bf16 faster than f32?

// An activation that can follow a product, and whose gradient is a function of its output.
enum class Activation { none, relu, leaky_relu, tanh, sigmoid };
inline std::vector<std::string> names(Activation) {
  return {"none", "relu", "leaky_relu", "tanh", "sigmoid"};
}
// y[i] = f(y[i]).
WEFT_API void activation_forward(Activation f, float slope, float* y, int64_t n);
// grad[i] *= f'(x[i]), written with y = f(x). `slope` is leaky_relu's below zero.
WEFT_API void activation_backward(Activation f, float slope, const float* y, float* grad,
                                  int64_t n);

// How a matrix, or a stack of them, lies in memory. Strides count elements.
struct Matrix {
  int64_t rows, cols;
  int64_t row_stride, col_stride = 1;
  int64_t outer = 1, outer_stride = 0;  // a stack of `outer` × `inner` matrices
  int64_t inner = 1, inner_stride = 0;

  static Matrix plain(int64_t rows, int64_t cols) { return {rows, cols, cols}; }
  Matrix t() const {
    Matrix m = *this;
    m.rows = cols, m.cols = rows, m.row_stride = col_stride, m.col_stride = row_stride;
    return m;
  }
};

struct MatmulOptions {
  bool bias = false;  // one value for each column of c
  Activation activation = Activation::none;
  float slope = 0;
  float scale = 1;          // factor of the product; not together with a bias
  bool accumulate = false;  // add to c, with none of the above; a has at least one column
};

// A matrix product: c = f(scale · a b + bias), or c = c + a b. It is built once in prepare() and
// called in forward(), backward() or learn(). Stacks are multiplied matrix by matrix. Two threads
// must not call it at once.
class WEFT_API Matmul {
 public:
  Matmul();
  Matmul(const Matrix& a, const Matrix& b, const Matrix& c, const MatmulOptions& options = {});
  ~Matmul();
  Matmul(Matmul&&) noexcept;
  Matmul& operator=(Matmul&&) noexcept;

  void operator()(const float* a, const float* b, float* c, const float* bias = nullptr) const;

 private:
  struct Built;
  std::unique_ptr<Built> built_;
};

// The extents of a convolution y = w * x, with images x and y, [batch, height, width, channels],
// and the weight w as PyTorch keeps it, [out, in / groups, kernel height, kernel width].
struct ConvolutionShape {
  using Pair = std::array<int64_t, 2>;  // height, width
  int64_t batch, in, out;               // channels of x and of y
  Pair x_size, y_size, kernel, stride{1, 1}, padding{0, 0}, dilation{1, 1};
  int64_t groups = 1;

  double flops() const {  // multiplications and additions
    const int64_t terms = in / groups * kernel[0] * kernel[1];
    return 2.0 * static_cast<double>(batch * y_size[0] * y_size[1] * out) *
           static_cast<double>(terms);
  }
};

struct ConvolutionOptions {
  bool bias = false;  // Of::y adds one value to each channel, Of::w writes its gradient
  Activation activation = Activation::none;  // for Of::y only
  float slope = 0;
};

// Computes one of y, x and w from the other two. y is the convolution; x its transpose, which is
// the gradient of x and also what a transposed convolution does; w the gradient of w. It is built
// once in prepare(). Two threads must not call it at once.
class WEFT_API Convolution {
 public:
  enum class Of { y, x, w };
  Convolution();
  Convolution(Of of, const ConvolutionShape& shape, const ConvolutionOptions& options = {});
  ~Convolution();
  Convolution(Convolution&&) noexcept;
  Convolution& operator=(Convolution&&) noexcept;

  void to_y(const float* x, const float* w, float* y, const float* bias = nullptr) const;
  void to_x(float* x, const float* w, const float* y) const;
  void to_w(const float* x, float* w, const float* y, float* bias = nullptr) const;

 private:
  struct Built;
  Built& built(Of of) const;
  std::unique_ptr<Built> built_;
};

// Makes oneDNN use one thread for what the calling thread asks of it, from now on. Every thread
// that builds or runs a primitive must have called it: results then do not depend on the number of
// threads. Throws Error(plugin) if this oneDNN has threads that weft cannot keep from a product.
WEFT_API void single_threaded_dnn();
WEFT_API std::string dnn_version();  // the version that is loaded: "oneDNN 2.6.3"
WEFT_API bool dnn_is_as_built();     // is that the one that weft was built with?
WEFT_API std::string dnn_threads();  // what oneDNN was built to run on: "OpenMP", "oneTBB", …
WEFT_API std::string dnn_isa();      // "AVX512_CORE_BF16": what oneDNN may use on this CPU

}  // namespace weft

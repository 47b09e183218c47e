#include <algorithm>
#include <functional>
#include <vector>

#include "framework/node/dnn.h"
#include "framework/node/node.h"
#include "framework/node/parallel.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

// A product of matrices, in blocks of the rows of `a`, which are those of the result.
class Product {
 public:
  Product() = default;
  Product(const Matrix& a, const Matrix& b, const Matrix& c, int64_t block,
          const MatmulOptions& how = {})
      : a_(a), c_(c), block_(block) {
    for (int64_t begin = 0; begin < a.rows; begin += block) {
      Matrix some = a, to = c;
      some.rows = to.rows = std::min(block, a.rows - begin);
      products_.emplace_back(some, b, to, how);
    }
  }
  void operator()(const float* a, const float* b, float* c) const {
    const auto multiply = [&](int64_t begin, int64_t) {
      products_[static_cast<size_t>(begin / block_)](a + begin * a_.row_stride, b,
                                                     c + begin * c_.row_stride);
    };
    in_blocks(a_.rows, block_, std::ref(multiply));
  }

 private:
  Matrix a_{}, c_{};
  int64_t block_ = 1;
  std::vector<Matmul> products_;
};

class MatrixProduct final : public Node {
  In a{this, "a",
       "[batch, ..., n, k], or [batch, ..., k, n] if it is transposed. A row, [batch, k], gives a "
       "row, [batch, m]."};
  In b{this,
       "b",
       "[batch, ..., k, m], or [batch, ..., m, k] if it is transposed. All samples may share it, "
       "[1, k, m].",
       {.shared = true}};
  Out y{this, "y", "[batch, ..., n, m]"};
  Param<bool> transpose_a{this, "transpose_a", "Takes aᵀ for a.", false};
  Param<bool> transpose_b{this, "transpose_b", "Takes bᵀ for b.", false};
  Product product_, added_, grad_a_, grad_b_;

  // The matrices of a value, as they lie there.
  static Matrix stack(const Shape& shape) {
    const int64_t rows = shape[shape.rank() - 2], cols = shape.back();
    int64_t count = 1;
    for (size_t axis = 0; axis + 2 < shape.rank(); ++axis) count *= shape[axis];
    return {rows, cols, cols, 1, 1, 0, count, rows * cols};
  }
  // A row is a matrix of one.
  static Shape with_row(const Shape& shape) {
    return shape.rank() == 2 ? Shape{shape.rows(), 1, shape.back()} : shape;
  }
  // Is `b` one matrix for all rows of `a`, which are then one matrix too?
  bool one_matrix() const { return b.shape().rank() == 3 && b.rows() == 1 && !*transpose_a; }
  static Matrix flat(const Shape& shape) {
    return Matrix::plain(shape.with_back(1).elements(), shape.back());
  }
  Matrix as(const Shape& shape) const {
    return one_matrix() ? flat(shape) : stack(with_row(shape));
  }
  Matrix matrix_a() const { return *transpose_a ? as(a.shape()).t() : as(a.shape()); }  // n × k
  Matrix matrix_b() const {
    return *transpose_b ? stack(b.shape()).t() : stack(b.shape());
  }  // k × m

  void infer() override {
    const size_t rank = a.shape().rank();
    bool fits = rank >= 2 && b.shape().rank() >= 3 && !(rank == 2 && *transpose_a);
    if (fits && !one_matrix()) {
      fits = b.shape().rank() == std::max<size_t>(rank, 3);
      for (size_t axis = 0; fits && axis + 2 < b.shape().rank(); ++axis)
        fits = a.shape()[axis] == b.shape()[axis];
    }
    if (!fits || matrix_a().cols != matrix_b().rows)
      throw Error("`a` is " + a.shape().str() + " and `b` is " + b.shape().str() +
                  ", but must be " + (*transpose_a ? "[batch, ..., k, n]" : "[batch, ..., n, k]") +
                  " and " + (*transpose_b ? "[batch, ..., m, k]" : "[batch, ..., k, m]"));
    const Shape rows = *transpose_a ? a.shape().with(rank - 2, a.shape().back()) : a.shape();
    y.shape(rows.with_back(matrix_b().cols));
    y.forward_only();
  }

  void prepare(Pass pass) override {
    const Matrix A = matrix_a(), B = matrix_b();
    const Matrix X = as(a.shape()), W = stack(b.shape()), Y = as(y.shape());
    const auto product = [&](const Matrix& left, const Matrix& right, const Matrix& to,
                             const MatmulOptions& how = {}) {
      return Product(left, right, to, one_matrix() ? 64 : left.rows, how);
    };
    const bool twice = pass == Pass::backward_twice;
    if (pass == Pass::forward || twice) product_ = product(A, B, Y);
    if (twice && adds()) added_ = product(A, B, Y, {.accumulate = true});
    if (pass != Pass::backward && !twice) return;
    if (a.wants_grad()) grad_a_ = *transpose_a ? product(B, Y.t(), X) : product(Y, B.t(), X);
    if (b.wants_grad()) grad_b_ = *transpose_b ? product(Y.t(), A, W) : product(A.t(), Y, W);
  }

  bool adds() const { return matrix_a().cols > 0; }  // else all products are 0

  void forward(const Step&) override { product_(a.data(), b.data(), y.data()); }
  void backward(const Step&) override { spread(a.data(), b.data()); }

  Twice twice() const override { return Twice::yes; }
  void backward_twice(const Step&) override {
    product_(a.tangent(), b.data(), y.tangent());
    if (adds()) added_(a.data(), b.tangent(), y.tangent());
    spread(a.tangent(), b.tangent());
  }

  // The gradients of the inputs where a is x and b is w.
  void spread(const float* x, const float* w) const {
    const float* const g = y.grad();
    if (a.wants_grad()) *transpose_a ? grad_a_(w, g, a.grad()) : grad_a_(g, w, a.grad());
    if (b.wants_grad()) *transpose_b ? grad_b_(g, x, b.grad()) : grad_b_(x, g, b.grad());
  }

  double flops() const override {
    return 2.0 * static_cast<double>(y.size()) * static_cast<double>(matrix_a().cols);
  }
};

WEFT_NODE(MatrixProduct, "matmul", "The products of the matrices of a and of b.",
          "{a: [4, 2, 5, 3], b: [4, 2, 7, 5], transpose_a: true, transpose_b: true}")

}  // namespace
}  // namespace weft

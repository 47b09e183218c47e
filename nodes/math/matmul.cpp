#include <algorithm>
#include <functional>
#include <vector>

#include "framework/node/dnn.h"
#include "framework/node/node.h"
#include "framework/node/parallel.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

// The product of one matrix with many rows, block by block: of the rows of `a` or, if it is
// transposed, of its columns, which are the rows of the result.
class BlockedProduct {
 public:
  BlockedProduct() = default;
  BlockedProduct(const Matrix& a, const Matrix& b, const Matrix& c, const MatmulOptions& how = {})
      : a_(a), c_(c) {
    for (int64_t begin = 0; begin < a.rows; begin += block) {
      Matrix some = a, to = c;
      some.rows = to.rows = std::min(block, a.rows - begin);
      products_.emplace_back(some, b, to, how);
    }
  }
  void operator()(const float* a, const float* b, float* c) const {
    const auto multiply = [&](int64_t begin, int64_t) {
      products_[static_cast<size_t>(begin / block)](a + begin * a_.row_stride, b,
                                                    c + begin * c_.row_stride);
    };
    in_blocks(a_.rows, block, std::ref(multiply));
  }

 private:
  static constexpr int64_t block = 64;  // rows
  Matrix a_{}, c_{};
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
  Matmul product_, added_, grad_a_, grad_b_;
  BlockedProduct rows_, added_rows_, grad_rows_, grad_matrix_;  // of one matrix for all rows of a

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
  Matrix as_a() const { return stack(with_row(a.shape())); }
  Matrix as_y() const { return stack(with_row(y.shape())); }
  Matrix matrix_a() const { return *transpose_a ? as_a().t() : as_a(); }  // n × k
  Matrix matrix_b() const {
    return *transpose_b ? stack(b.shape()).t() : stack(b.shape());
  }  // k × m
  bool one_matrix() const { return b.shape().rank() == 3 && b.rows() == 1 && !*transpose_a; }
  // All rows of a value as one matrix.
  static Matrix flat(const Shape& shape) {
    return Matrix::plain(shape.elements() / std::max<int64_t>(shape.back(), 1), shape.back());
  }

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
    std::vector<int64_t> dims(a.shape().dims().begin(), a.shape().dims().end());
    if (rank > 2) dims[rank - 2] = matrix_a().rows;
    dims[rank - 1] = matrix_b().cols;
    y.shape(Shape(dims));
    y.forward_only();
  }

  void prepare(Pass pass) override {
    const Matrix X = as_a(), W = stack(b.shape()), Y = as_y();
    const Matrix rows = flat(a.shape()), to = flat(y.shape());
    const bool one = one_matrix();
    const bool twice = pass == Pass::backward_twice;
    if ((pass == Pass::forward || twice) && one) rows_ = {rows, matrix_b(), to};
    if ((pass == Pass::forward || twice) && !one) product_ = Matmul(matrix_a(), matrix_b(), Y);
    if (twice && adds() && one) added_rows_ = {rows, matrix_b(), to, {.accumulate = true}};
    if (twice && adds() && !one) added_ = Matmul(matrix_a(), matrix_b(), Y, {.accumulate = true});
    if (pass != Pass::backward && !twice) return;
    if (a.wants_grad() && one) grad_rows_ = {to, matrix_b().t(), rows};
    if (b.wants_grad() && one)
      grad_matrix_ =
          *transpose_b ? BlockedProduct(to.t(), rows, W) : BlockedProduct(rows.t(), to, W);
    if (a.wants_grad() && !one)
      grad_a_ = *transpose_a ? Matmul(matrix_b(), Y.t(), X) : Matmul(Y, matrix_b().t(), X);
    if (b.wants_grad() && !one)
      grad_b_ = *transpose_b ? Matmul(Y.t(), matrix_a(), W) : Matmul(matrix_a().t(), Y, W);
  }

  bool adds() const { return matrix_a().cols > 0; }  // else all products are 0

  void forward(const Step&) override {
    one_matrix() ? rows_(a.data(), b.data(), y.data()) : product_(a.data(), b.data(), y.data());
  }
  void backward(const Step&) override { spread(a.data(), b.data()); }

  Twice twice() const override { return Twice::yes; }
  void backward_twice(const Step&) override {
    float* const to = y.tangent();
    one_matrix() ? rows_(a.tangent(), b.data(), to) : product_(a.tangent(), b.data(), to);
    if (adds())
      one_matrix() ? added_rows_(a.data(), b.tangent(), to) : added_(a.data(), b.tangent(), to);
    spread(a.tangent(), b.tangent());
  }

  // The gradients of the inputs where a is x and b is w.
  void spread(const float* x, const float* w) const {
    const float* const g = y.grad();
    if (a.wants_grad() && one_matrix()) grad_rows_(g, w, a.grad());
    if (b.wants_grad() && one_matrix())
      *transpose_b ? grad_matrix_(g, x, b.grad()) : grad_matrix_(x, g, b.grad());
    if (a.wants_grad() && !one_matrix())
      *transpose_a ? grad_a_(w, g, a.grad()) : grad_a_(g, w, a.grad());
    if (b.wants_grad() && !one_matrix())
      *transpose_b ? grad_b_(g, x, b.grad()) : grad_b_(x, g, b.grad());
  }

  double flops() const override {
    return 2.0 * static_cast<double>(y.size()) * static_cast<double>(matrix_a().cols);
  }
};

WEFT_NODE(MatrixProduct, "matmul", "The products of the matrices of a and of b.",
          "{a: [4, 2, 5, 3], b: [4, 2, 7, 5], transpose_a: true, transpose_b: true}")

}  // namespace
}  // namespace weft

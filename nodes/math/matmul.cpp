#include "framework/node/dnn.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class MatrixProduct final : public Node {
  In a{this, "a", "[batch, ..., n, k], or [batch, ..., k, n] if it is transposed."};
  In b{this, "b", "[batch, ..., k, m], or [batch, ..., m, k] if it is transposed."};
  Out y{this, "y", "[batch, ..., n, m]"};
  Param<bool> transpose_a{this, "transpose_a", "Takes aᵀ for a.", false};
  Param<bool> transpose_b{this, "transpose_b", "Takes bᵀ for b.", false};
  Matmul product_, grad_a_, grad_b_;

  // The matrices of a value, as they lie there.
  static Matrix stack(const Shape& shape) {
    const int64_t rows = shape[shape.rank() - 2], cols = shape.back();
    int64_t count = 1;
    for (size_t axis = 0; axis + 2 < shape.rank(); ++axis) count *= shape[axis];
    return {rows, cols, cols, 1, 1, 0, count, rows * cols};
  }
  Matrix matrix_a() const {
    return *transpose_a ? stack(a.shape()).t() : stack(a.shape());
  }  // n × k
  Matrix matrix_b() const {
    return *transpose_b ? stack(b.shape()).t() : stack(b.shape());
  }  // k × m

  void infer() override {
    const size_t rank = a.shape().rank();
    bool fits = rank >= 3 && b.shape().rank() == rank;
    for (size_t axis = 0; fits && axis + 2 < rank; ++axis)
      fits = a.shape()[axis] == b.shape()[axis];
    if (!fits || matrix_a().cols != matrix_b().rows)
      throw Error("`a` is " + a.shape().str() + " and `b` is " + b.shape().str() +
                  ", but must be " + (*transpose_a ? "[batch, ..., k, n]" : "[batch, ..., n, k]") +
                  " and " + (*transpose_b ? "[batch, ..., m, k]" : "[batch, ..., k, m]"));
    std::vector<int64_t> dims(a.shape().dims().begin(), a.shape().dims().end());
    dims[rank - 2] = matrix_a().rows, dims[rank - 1] = matrix_b().cols;
    y.shape(Shape(dims));
    y.forward_only();
  }

  void prepare(Pass pass) override {
    const Matrix X = stack(a.shape()), W = stack(b.shape()), Y = stack(y.shape());
    if (pass == Pass::forward) product_ = Matmul(matrix_a(), matrix_b(), Y);
    if (pass != Pass::backward) return;
    if (a.wants_grad())
      grad_a_ = *transpose_a ? Matmul(matrix_b(), Y.t(), X) : Matmul(Y, matrix_b().t(), X);
    if (b.wants_grad())
      grad_b_ = *transpose_b ? Matmul(Y.t(), matrix_a(), W) : Matmul(matrix_a().t(), Y, W);
  }

  void forward(const Step&) override { product_(a.data(), b.data(), y.data()); }

  void backward(const Step&) override {
    if (a.wants_grad())
      *transpose_a ? grad_a_(b.data(), y.grad(), a.grad()) : grad_a_(y.grad(), b.data(), a.grad());
    if (b.wants_grad())
      *transpose_b ? grad_b_(y.grad(), a.data(), b.grad()) : grad_b_(a.data(), y.grad(), b.grad());
  }

  double flops() const override {
    return 2.0 * static_cast<double>(y.size()) * static_cast<double>(matrix_a().cols);
  }
};

WEFT_NODE(MatrixProduct, "matmul", "The products of the matrices of a and of b.",
          "{a: [4, 2, 5, 3], b: [4, 2, 7, 5], transpose_a: true, transpose_b: true}")

}  // namespace
}  // namespace weft

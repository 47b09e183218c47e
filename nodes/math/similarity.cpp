#include <algorithm>

#include "framework/node/dnn.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Similarity final : public Node {
  In a{this, "a", "[batch, d]; of unit length, if cosines are wanted."};
  In b{this, "b", "[batch, d]"};
  Out y{this, "y", "[batch, batch]: row i has a_i · b_j. What is of no sample is 0."};
  Matmul product_, grad_a_, grad_b_;

  bool whole_batch() const override { return true; }

  void infer() override {
    if (a.shape().rank() != 2 || a.shape() != b.shape() || a.shape().back() == 0)
      throw Error("`a` is " + a.shape().str() + " and `b` is " + b.shape().str() +
                  ", but both must be [batch, d]");
    y.shape({a.rows(), a.rows()});
    y.forward_only();
  }

  void prepare(Pass pass) override {
    const Matrix X = Matrix::plain(a.rows(), a.row_size()), Y = Matrix::plain(a.rows(), a.rows());
    if (pass == Pass::forward) product_ = Matmul(X, X.t(), Y);
    if (pass != Pass::backward) return;
    if (a.wants_grad()) grad_a_ = Matmul(Y, X, X);
    if (b.wants_grad()) grad_b_ = Matmul(Y.t(), X, X);
  }

  void clear_padding(int64_t rows, float* to) const {
    const int64_t n = y.rows(), real = std::min(rows, n);
    for (int64_t row = 0; row < real; ++row) std::fill_n(to + row * n + real, n - real, 0.0F);
    std::fill(to + real * n, to + n * n, 0.0F);
  }

  void forward(const Step& step) override {
    product_(a.data(), b.data(), y.data());
    clear_padding(step.rows, y.data());
  }

  void backward(const Step& step) override {
    clear_padding(step.rows, y.grad());
    if (a.wants_grad()) grad_a_(y.grad(), b.data(), a.grad());
    if (b.wants_grad()) grad_b_(y.grad(), a.data(), b.grad());
  }

  double flops() const override {
    return 2.0 * static_cast<double>(y.size()) * static_cast<double>(a.row_size());
  }
};

WEFT_NODE(Similarity, "similarity", "The products of each row of a with each row of b.",
          "{a: [5, 3], b: [5, 3]}")

}  // namespace
}  // namespace weft

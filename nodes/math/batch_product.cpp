#include <algorithm>

#include "framework/node/dnn.h"
#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class BatchProduct final : public Node {
  In a{this, "a", "[batch, n]"};
  In b{this, "b", "[batch, m]"};
  Out y{this, "y",
        "[1, n, m], which all samples share: Σ a_i b_j / samples. A covariance, if `a` and `b` are "
        "one value less its mean over the batch."};
  Matmul product_, grad_a_, grad_b_;
  std::vector<float> clean_;  // b without rows of padding

  bool whole_batch() const override { return true; }
  Twice twice() const override { return Twice::no; }
  int64_t n() const { return a.shape().back(); }
  int64_t m() const { return b.shape().back(); }

  void infer() override {
    if (a.shape().rank() != 2 || b.shape().rank() != 2 || a.rows() != b.rows())
      throw Error("`a` is " + a.shape().str() + " and `b` is " + b.shape().str() +
                  ", but must be [batch, n] and [batch, m]");
    y.share();
    y.shape({1, n(), m()});
    y.forward_only();
  }

  void prepare(Pass pass) override {
    const Matrix A = Matrix::plain(a.rows(), n()), B = Matrix::plain(b.rows(), m());
    const Matrix Y = Matrix::plain(n(), m());
    clean_.resize(static_cast<size_t>(b.size()));
    if (pass == Pass::forward) product_ = Matmul(A.t(), B, Y);
    if (pass != Pass::backward) return;
    if (a.wants_grad()) grad_a_ = Matmul(B, Y.t(), A);
    if (b.wants_grad()) grad_b_ = Matmul(A, Y, B);
  }

  static float share(const Step& step) {
    return 1 / static_cast<float>(std::max<int64_t>(step.rows, 1));
  }
  void clear_padding(const Step& step, float* x, int64_t cols) const {
    std::fill(x + std::min(step.rows, a.rows()) * cols, x + a.rows() * cols, 0.0F);
  }

  void forward(const Step& step) override {
    std::copy_n(b.data(), b.size(), clean_.data());
    clear_padding(step, clean_.data(), m());
    product_(a.data(), clean_.data(), y.data());
    scale(y.data(), share(step), y.size());
  }

  void backward(const Step& step) override {
    scale(y.grad(), share(step), y.size());
    if (a.wants_grad()) grad_a_(b.data(), y.grad(), a.grad()), clear_padding(step, a.grad(), n());
    if (b.wants_grad()) grad_b_(a.data(), y.grad(), b.grad()), clear_padding(step, b.grad(), m());
  }

  double flops() const override {
    return 2.0 * static_cast<double>(a.size()) * static_cast<double>(m());
  }
};

WEFT_NODE(BatchProduct, "batch_product",
          "The mean over the samples of a batch of the products of two values' numbers.",
          "{a: [5, 3], b: [5, 2]}")

}  // namespace
}  // namespace weft

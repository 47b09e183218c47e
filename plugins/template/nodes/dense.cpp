#include <cmath>

#include "framework/node/dnn.h"
#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Dense final : public Node {
  In x{this, "x", "Rows, [batch, in]."};
  Out y{this, "y", "[batch, features]"};
  Param<int64_t> features{this, "features", "Outputs of a row.", required, within(1, 1 << 20)};
  Weight weight{this, "weight", "[features, in]"};
  Weight bias{this, "bias", "[features]"};

  Matmul product_, grad_x_, grad_weight_;

  void infer() override {
    if (x.shape().rank() != 2 || x.shape().back() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, in]");
    const int64_t in = x.shape().back();
    y.shape({x.rows(), *features});
    y.forward_only();  // nothing below reads its values
    const Init init = Init::uniform(1 / std::sqrt(static_cast<double>(in)));
    weight.shape({*features, in}, init);
    bias.shape({*features}, init);
  }

  void prepare(Pass pass) override {
    const int64_t n = x.rows(), in = x.row_size(), m = *features, block = weight.block().size();
    const Matrix X = Matrix::plain(n, in), Y = Matrix::plain(n, m), W = Matrix::plain(m, in);
    if (pass == Pass::forward) product_ = Matmul(X, W.t(), Y, {.bias = true});
    if (pass == Pass::backward && x.wants_grad()) grad_x_ = Matmul(Y, W, X);
    if (pass == Pass::learn && weight.wants_grad())  // of the columns of y that are the block's
      grad_weight_ = Matmul({block, n, 1, m}, X, Matrix::plain(block, in));
  }

  void forward(const Step&) override { product_(x.data(), weight.data(), y.data(), bias.data()); }

  void backward(const Step&) override {
    if (x.wants_grad()) grad_x_(y.grad(), weight.data(), x.grad());
  }

  void learn(const Step&) override {
    if (weight.wants_grad()) grad_weight_(y.grad() + weight.block().begin, x.data(), weight.grad());
    if (const Range rows = bias.block(); bias.wants_grad())
      sum_rows(y.grad() + rows.begin, y.rows(), *features, rows.size(), bias.grad());
  }

  double flops() const override { return 2.0 * static_cast<double>(x.size() * *features); }
};

WEFT_NODE(Dense, "dense", "x wᵀ + b.", "{x: [5, 3], features: 4}")

}  // namespace
}  // namespace weft

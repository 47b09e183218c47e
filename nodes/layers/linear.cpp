#include <algorithm>

#include "framework/node/dnn.h"
#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "nodes/layers/product_weights.h"

namespace weft {
namespace {

class Linear final : public Node {
  In x{this, "x", "Rows to project, [batch, ..., in]."};
  Out y{this, "y", "Projected rows, [batch, ..., features]."};
  Param<int64_t> features{this, "features", "Outputs of a row.", required, within(1, 1 << 24)};
  Param<bool> with_bias{this, "bias", "Add a learned offset.", true};
  Param<Activation> activation{this, "activation", "Applied to the result.", Activation::none};
  Param<double> slope{this, "slope", "Of leaky_relu below 0.", 0.01, at_least(0)};
  ProductWeights start{this};
  Weight weight{this, "weight", "[features, in]"};
  Weight bias{this, "bias", "[features]; absent if `bias: false`"};

  Matmul project_, grad_x_, grad_weight_, along_, added_weight_;
  std::vector<float> before_, bend_;  // gradients before the activation, [n, features]
  int64_t in() const { return x.shape().back(); }
  // If a sample has many rows, such as tokens, the node learns in lanes: a lane's rows are in the
  // cache, and are more than the numbers of its part of the gradient.
  bool learns_in_lanes() const override {
    const int64_t rows = x.row_size() / in();
    return rows > 1 && 8 * rows >= std::max(in(), *features);
  }

  void infer() override {
    if (x.shape().rank() < 2 || in() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, ..., in]");
    y.shape(x.shape().with_back(*features));
    if (*activation == Activation::none) y.forward_only();
    start.shape(weight, {*features, in()}, *with_bias ? &bias : nullptr, in());
  }

  void prepare(Pass pass) override {
    const int64_t n = x.size() / in(), m = *features;
    const Matrix X = Matrix::plain(n, in()), Y = Matrix::plain(n, m), W = Matrix::plain(m, in());
    if (pass == Pass::forward)
      project_ = Matmul(X, W.t(), Y, {*with_bias, *activation, static_cast<float>(*slope)});
    const bool twice = pass == Pass::backward_twice;
    if ((pass == Pass::backward || twice) && x.wants_grad()) grad_x_ = Matmul(Y, W, X);  // [n, in]
    if (twice) along_ = Matmul(X, W.t(), Y);  // [n, features]
    if (twice || pass == Pass::learn_twice) bend_.resize(static_cast<size_t>(y.size()));
    if (pass == Pass::learn || pass == Pass::learn_twice) prepare_learning(pass);
  }
  void prepare_learning(Pass pass) {
    const int64_t n = x.size() / in(), m = *features, block = rows().size();
    const Matrix X = Matrix::plain(n, in()), G{block, n, 1, m}, W = Matrix::plain(block, in());
    if (weight.wants_grad()) grad_weight_ = Matmul(G, X, W);
    if (pass == Pass::learn) return;
    before_.resize(static_cast<size_t>(y.size()));
    if (!is_smooth(*activation)) return;
    along_ = Matmul(X, W.t(), G.t());
    if (weight.wants_grad() && n > 0) added_weight_ = Matmul(G, X, W, {.accumulate = true});
  }
  Range rows() const { return weight.wants_grad() ? weight.block() : bias.block(); }

  void forward(const Step&) override { project_(x.data(), weight.data(), y.data(), bias.data()); }

  void backward(const Step&) override {
    activation_backward(*activation, static_cast<float>(*slope), y.data(), y.grad(), y.size());
    if (x.wants_grad()) grad_x_(y.grad(), weight.data(), x.grad());
  }

  void learn(const Step&) override {  // y.grad() is by now the gradient before the activation
    if (weight.wants_grad()) grad_weight_(y.grad() + weight.block().begin, x.data(), weight.grad());
    if (const Range block = bias.block(); bias.wants_grad())
      sum_rows(y.grad() + block.begin, y.size() / *features, *features, block.size(), bias.grad());
  }

  Twice twice() const override { return Twice::yes; }
  void backward_twice(const Step&) override {
    along_(x.tangent(), weight.data(), y.tangent());
    before_activation(y.tangent());
    if (x.wants_grad() && is_smooth(*activation)) {
      activation_twice(*activation, y.data(), y.grad(), y.tangent(), bend_.data(), y.size());
      grad_x_(bend_.data(), weight.data(), x.grad());
    } else if (x.wants_grad()) {
      std::fill_n(x.grad(), x.size(), 0.0F);
    }
  }
  void learn_twice(const Step&) override {
    const int64_t begin = rows().begin, size = rows().size();
    std::copy_n(y.grad(), y.size(), before_.data());
    before_activation(before_.data());
    if (weight.wants_grad()) grad_weight_(before_.data() + begin, x.tangent(), weight.grad());
    if (is_smooth(*activation)) {
      along_(x.tangent(), weight.data() + begin * in(), bend_.data() + begin);
      before_activation(bend_.data());
      activation_twice(*activation, y.data(), y.grad(), bend_.data(), bend_.data(), y.size());
      if (weight.wants_grad() && x.size() > 0)
        added_weight_(bend_.data() + begin, x.data(), weight.grad());
    }
    if (bias.wants_grad())
      sum_rows(bend_.data() + begin, y.size() / *features, *features, size, bias.grad());
  }
  void before_activation(float* grad) const {
    activation_backward(*activation, static_cast<float>(*slope), y.data(), grad, y.size());
  }

  double flops() const override { return 2.0 * static_cast<double>(x.size() * *features); }
};

WEFT_NODE(Linear, "linear", "f(x wᵀ + b) over the last axis, with an optional activation f.",
          "{x: [4, 3, 5], features: 4, activation: tanh}")

}  // namespace
}  // namespace weft

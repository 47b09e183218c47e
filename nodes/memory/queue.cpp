#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/node/dnn.h"
#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/parallel.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

// Momentum contrast: He et al. 2020, arXiv:1911.05722, eq. 1 and algorithm 1. Its loss is the cross
// entropy of the logits and class 0.
class Queue final : public Node {
  In x{this, "x", "Queries, [batch, d]; only their directions count."};
  In key{this,
         "key",
         "What each should find, as another encoder has it, shaped as `x`; likewise.",
         {.grad = false, .unlike = "x"}};
  Out y{this, "y",
        "Cosines over `temperature`, [batch, 1 + size]: of a query and its own key, which is class "
        "0, and of the query and each key in the queue, as it was before this batch."};
  Param<int64_t> size{this, "size", "Keys in the queue, the last ones of training.", required,
                      within(1, 1 << 24)};
  Param<double> temperature{this, "temperature", "Divides the cosines.", 0.07, scheduled(above(0))};
  State keys{
      this, "keys",
      "The queue, directions, [size, d]; at first normal numbers, of length 1 but for chance."};
  Saved before{this, "before", "The queue before this batch, [size, d]."};

  std::vector<float> query_, own_;            // [batch, d]: x and key as directions
  std::vector<float> grads_;                  // [blocks, batch, d]: of the queries
  std::vector<Matmul> products_, gradients_;  // by block of the queue

  int64_t d() const { return x.shape()[1]; }
  float sharp() const { return 1 / static_cast<float>(*temperature); }
  bool moves() const { return training() && !frozen(); }
  bool whole_batch() const override { return moves(); }
  int64_t block() const {
    return moves() ? std::max<int64_t>(256, (*size + 15) / 16) : *size;  // of keys
  }

  void infer() override {
    if (x.shape().rank() != 2 || key.shape() != x.shape() || d() == 0)
      throw Error("`x` is " + x.shape().str() + " and `key` is " + key.shape().str() +
                  ", but both must be [batch, d]");
    if (moves() && *size < x.rows())
      throw Error("`size` is " + std::to_string(*size) + ", but a batch has " +
                  std::to_string(x.rows()) + " keys");
    y.shape({x.rows(), 1 + *size});
    y.forward_only();
    keys.shape({*size, d()}, Init::normal(1 / std::sqrt(static_cast<double>(d()))));
    if (moves()) before.shape(keys.shape());
  }

  void prepare(Pass pass) override {
    for (auto* rows : {&query_, &own_}) rows->resize(static_cast<size_t>(x.size()));
    const Matrix X = Matrix::plain(x.rows(), d());
    for (int64_t k = 0; k < *size; k += block()) {
      const int64_t n = std::min(block(), *size - k);
      const Matrix K = Matrix::plain(n, d()), Y{x.rows(), n, 1 + *size};
      if (pass == Pass::forward) products_.emplace_back(X, K.t(), Y);
      if (pass == Pass::backward) gradients_.emplace_back(Y, K, X);
    }
    grads_.resize(gradients_.size() * static_cast<size_t>(x.size()));
  }

  void forward(const Step& step) override {
    if (moves()) std::copy_n(keys.data(), *size * d(), before.data());
    for (int64_t i = 0; i < x.rows(); ++i) {
      float *query = query_.data() + i * d(), *own = own_.data() + i * d();
      direction(x.data() + i * d(), query, d());
      direction(key.data() + i * d(), own, d());
      for (int64_t j = 0; j < d(); ++j) query[j] *= sharp();
      y.data()[i * (1 + *size)] = dot(query, own, d());
    }
    in_blocks(*size, block(), [&](int64_t begin, int64_t) {
      products_[static_cast<size_t>(begin / block())](query_.data(), keys.data() + begin * d(),
                                                      y.data() + 1 + begin);
    });
    if (moves()) push(step);
  }

  void push(const Step& step) {
    for (int64_t row = 0; row < step.rows; ++row) {
      const float* own = own_.data() + row * d();
      if (!std::isfinite(dot(own, own, d())))
        throw Error(Exit::nonfinite, "a number of `key` is not finite");
      std::copy_n(own, d(), keys.data() + (step.number * x.rows() + row) % *size * d());
    }
  }

  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    const float* const held = moves() ? before.data() : keys.data();
    in_blocks(*size, block(), [&](int64_t begin, int64_t) {
      const int64_t b = begin / block();
      gradients_[static_cast<size_t>(b)](y.grad() + 1 + begin, held + begin * d(),
                                         grads_.data() + b * x.size());
    });
    float* const sum = grads_.data();
    for (int64_t b = block(); b < *size; b += block())
      add_scaled(sum + b / block() * x.size(), 1, sum, x.size());
    for (int64_t i = 0; i < x.rows(); ++i) {
      float *query = query_.data() + i * d(), *own = own_.data() + i * d(), *grad = sum + i * d();
      const float length = std::max(direction(x.data() + i * d(), query, d()), 1e-8F);
      direction(key.data() + i * d(), own, d());
      add_scaled(own, y.grad()[i * (1 + *size)], grad, d());
      const float along = dot(grad, query, d());
      for (int64_t j = 0; j < d(); ++j)
        x.grad()[i * d() + j] = (grad[j] - along * query[j]) * sharp() / length;
    }
  }

  double flops() const override { return 2.0 * static_cast<double>(x.size() * (1 + *size)); }
};

WEFT_NODE(Queue, "queue",
          "Compares queries with their keys and with those of earlier batches (MoCo, He et al. "
          "2020).",
          "{x: [5, 3], key: [5, 3], size: 261}", .follows_state = true)

}  // namespace
}  // namespace weft

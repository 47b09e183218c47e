#include <algorithm>
#include <cmath>

#include "framework/node/dnn.h"
#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "framework/node/softmax.h"

namespace weft {
namespace {

// The contrastive loss of Chen et al. 2020, arXiv:2002.05709, eq. 1. Each of the 2n embeddings of a
// batch has to find its other view among all.
class NtXent final : public Node {
  In a{this, "a", "Embeddings of one view, [batch, d]; only their directions count."};
  In b{this, "b", "Of the other view, shaped as `a`."};
  Out y{this, "y", "[batch]; mean of the two views of a sample, in nats."};
  Param<double> temperature{this, "temperature", "Divides the cosines.", 0.5, scheduled(above(0))};
  Saved unit{this, "unit", "The directions of both, [batch, 2, d]."};
  Saved norm{this, "norm", "Their lengths, [batch, 2]."};
  Saved share{this, "share", "softmax of the scores of each, [batch, 2, 2 · batch]."};

  Matmul scores_, grads_, grads_back_;
  std::vector<float> unit_, norm_, share_, grad_;  // grad_: [2, 2n, d]; others: as the saved

  int64_t n() const { return a.rows(); }
  int64_t d() const { return a.shape()[1]; }
  bool whole_batch() const override { return true; }

  void infer() override {
    if (a.shape().rank() != 2 || a.shape() != b.shape() || d() == 0)
      throw Error("`a` is " + a.shape().str() + " and `b` is " + b.shape().str() +
                  ", but both must be [batch, d]");
    y.shape({n()});
    unit.shape({n(), 2, d()});
    norm.shape({n(), 2});
    share.shape({n(), 2, 2 * n()});
  }

  void prepare(Pass pass) override {
    const int64_t m = 2 * n();
    const Matrix Z = Matrix::plain(m, d()), S = Matrix::plain(m, m);
    if (pass == Pass::forward) {
      scores_ = Matmul(Z, Z.t(), S);
      if (training()) return;
      unit_.resize(static_cast<size_t>(m * d()));
      norm_.resize(static_cast<size_t>(m));
      share_.resize(static_cast<size_t>(m * m));
    } else {
      grads_ = Matmul(S, Z, Z);
      grads_back_ = Matmul(S.t(), Z, Z);
      grad_.resize(static_cast<size_t>(2 * m * d()));
    }
  }

  // Embedding 2i is row i of a, embedding 2i + 1 is row i of b.
  const In& view(int64_t i) const { return i % 2 == 0 ? a : b; }
  const float* row(int64_t i) const { return view(i).data() + i / 2 * d(); }

  void forward(const Step& step) override {
    float* z = training() ? unit.data() : unit_.data();       // [2n, d]
    float* length = training() ? norm.data() : norm_.data();  // [2n]
    float* s = training() ? share.data() : share_.data();     // [2n, 2n]
    const int64_t m = 2 * n(), real = 2 * step.rows;
    for (int64_t i = 0; i < m; ++i) {
      length[i] = std::max(std::sqrt(dot(row(i), row(i), d())), 1e-8F);
      for (int64_t k = 0; k < d(); ++k) z[i * d() + k] = i < real ? row(i)[k] / length[i] : 0;
    }
    scores_(z, z, s);
    const float sharp = 1 / static_cast<float>(*temperature);
    for (int64_t i = 0; i < m; ++i) {
      float* own = s + i * m;
      if (i >= real) {
        std::fill_n(own, m, 0.0F);
        if (i % 2 == 1) y.data()[i / 2] = 0;
        continue;
      }
      for (int64_t j = 0; j < real; ++j) own[j] *= sharp;
      const float right = own[i ^ 1];
      own[i] = -1e30F;  // an embedding does not compete with itself
      const float loss = softmax(own, real).log() - right;
      std::fill(own + real, own + m, 0.0F);
      y.data()[i / 2] = (i % 2 == 0 ? 0 : y.data()[i / 2]) + 0.5F * loss;
    }
  }

  // dL/ds_ij = w_i (p_ij - [j is i's other view]) / temperature. z_i · z_j is both s_ij and s_ji,
  // so its gradient is the sum of both.
  void backward(const Step& step) override {
    if (!a.wants_grad() && !b.wants_grad()) return;
    const int64_t m = 2 * n(), real = 2 * step.rows;
    const float sharp = 1 / static_cast<float>(*temperature);
    for (int64_t i = 0; i < real; ++i) {
      float* p = share.data() + i * m;
      const float w = 0.5F * y.grad()[i / 2] * sharp;
      p[i ^ 1] -= 1;
      for (int64_t j = 0; j < real; ++j) p[j] *= w;
    }
    float *g = grad_.data(), *back = grad_.data() + m * d();  // [2n, d] each
    grads_(share.data(), unit.data(), g);
    grads_back_(share.data(), unit.data(), back);
    for (int64_t i = 0; i < m; ++i) {
      if (!view(i).wants_grad()) continue;
      const float* z = unit.data() + i * d();
      float *own = g + i * d(), *out = view(i).grad() + i / 2 * d();
      for (int64_t k = 0; k < d(); ++k) own[k] += back[i * d() + k];
      const float along = dot(own, z, d());
      for (int64_t k = 0; k < d(); ++k)
        out[k] = i < real ? (own[k] - along * z[k]) / norm.data()[i] : 0;
    }
  }

  double flops() const override { return 8.0 * static_cast<double>(n() * n() * d()); }
};

WEFT_NODE(NtXent, "nt_xent",
          "Contrastive loss of two views of a batch: each finds its other view by cosine.",
          "{a: [5, 4], b: [5, 4], temperature: 0.5}")

}  // namespace
}  // namespace weft

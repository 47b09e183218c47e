#include <algorithm>
#include <cmath>

#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

WEFT_SIMD void mix(const float* __restrict a, float by_a, const float* __restrict b, float by_b,
                   float* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = by_a * a[i] + by_b * b[i];
}

// 1 - cos, which is half of eq. 2 of Grill et al. 2020, arXiv:2006.07733, and eq. 1 of Chen & He
// 2020, arXiv:2011.10566, plus 1.
class Cosine final : public Node {
  In a{this, "a", "Vectors, [batch, ..., d]; only their directions count."};
  In b{this, "b", "Shaped as `a`."};
  Out y{this, "y", "[batch]; mean over a sample's vectors, from 0, alike, to 2, opposed."};

  int64_t d() const { return a.shape().back(); }
  int64_t positions() const { return a.row_size() / d(); }

  void infer() override {
    if (a.shape().rank() < 2 || a.shape() != b.shape() || d() == 0)
      throw Error("`a` is " + a.shape().str() + " and `b` is " + b.shape().str() +
                  ", but both must be [batch, ..., d]");
    y.shape({a.rows()});
  }

  float length(const float* v) const { return std::max(std::sqrt(dot(v, v, d())), 1e-8F); }
  float cosine(const float* u, const float* v) const {
    return dot(u, v, d()) / (length(u) * length(v));
  }

  void forward(const Step&) override {
    for (int64_t row = 0; row < y.rows(); ++row) {
      float sum = 0;
      for (int64_t i = row * positions(); i < (row + 1) * positions(); ++i)
        sum += 1 - cosine(a.data() + i * d(), b.data() + i * d());
      y.data()[row] = sum / static_cast<float>(positions());
    }
  }

  void backward(const Step&) override {
    backward_towards(a, b);
    backward_towards(b, a);
  }

  // d(1 - cos)/du = (cos u / |u| - v / |v|) / |u|
  void backward_towards(const In& to, const In& other) const {
    if (!to.wants_grad()) return;
    for (int64_t i = 0; i < y.rows() * positions(); ++i) {
      const float *u = to.data() + i * d(), *v = other.data() + i * d();
      const float by = y.grad()[i / positions()] / static_cast<float>(positions()) / length(u);
      mix(u, by * cosine(u, v) / length(u), v, -by / length(v), to.grad() + i * d(), d());
    }
  }
};

WEFT_NODE(Cosine, "cosine", "1 - cos of the angle of two vectors, one value for each sample.",
          "{a: [4, 3, 5], b: [4, 3, 5]}")

}  // namespace
}  // namespace weft

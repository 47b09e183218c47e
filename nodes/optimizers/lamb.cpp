#include <algorithm>
#include <cmath>

#include "nodes/optimizers/adam.h"

namespace weft {
namespace {

struct Decays {
  float b1, a1, b2, a2;
};

WEFT_SIMD void move_moments(float* __restrict m, float* __restrict v, const float* __restrict grad,
                            int64_t n, Decays d) {
  for (int64_t i = 0; i < n; ++i) {
    m[i] = d.b1 * m[i] + d.a1 * grad[i];
    v[i] = d.b2 * v[i] + d.a2 * grad[i] * grad[i];
  }
}

struct LambFactors {
  float unbias1, root, eps, decay;

  // r + λ w: Adam's direction and the weight's decay.
  float direction(float w, float m, float v) const {
    return unbias1 * m / (root * std::sqrt(v) + eps) + decay * w;
  }
};

struct Squares {
  float of_weight = 0, of_step = 0;
};

WEFT_SIMD Squares squares(const float* __restrict w, const float* __restrict m,
                          const float* __restrict v, int64_t n, LambFactors f) {
  float of_weight = 0, of_step = 0;
#pragma omp simd reduction(+ : of_weight, of_step)
  for (int64_t i = 0; i < n; ++i) {
    const float step = f.direction(w[i], m[i], v[i]);
    of_weight += w[i] * w[i];
    of_step += step * step;
  }
  return {of_weight, of_step};
}

WEFT_SIMD void lamb_step(float* __restrict w, const float* __restrict m, const float* __restrict v,
                         int64_t n, float rate, LambFactors f) {
  for (int64_t i = 0; i < n; ++i) w[i] -= rate * f.direction(w[i], m[i], v[i]);
}

// You et al. 2020, arXiv:1904.00962, algorithm 2, with the identity as φ. A weight or a direction
// of length 0 is updated at the plain rate.
class Lamb final : public AdamBase {
  Param<double> weight_decay{this, "weight_decay", "Of the weight, added to its direction.", 0.01,
                             scheduled(at_least(0))};

  bool whole_weight() const override { return true; }

  void update(const Update& u) const override {
    move_moments(u[exp_avg], u[exp_avg_sq], u.grad, u.size(),
                 {.b1 = static_cast<float>(betas->front()),
                  .a1 = static_cast<float>(1 - betas->front()),
                  .b2 = static_cast<float>(betas->back()),
                  .a2 = static_cast<float>(1 - betas->back())});
    const double t = static_cast<double>(u.number);
    const LambFactors f{.unbias1 = static_cast<float>(1 / (1 - std::pow(betas->front(), t))),
                        .root = static_cast<float>(1 / std::sqrt(1 - std::pow(betas->back(), t))),
                        .eps = static_cast<float>(*eps),
                        .decay = static_cast<float>(*weight_decay)};
    const float *m = u[exp_avg], *v = u[exp_avg_sq];
    constexpr int64_t chunk = 4096;  // summed in single precision, chunks in double
    double of_weight = 0, of_step = 0;
    for (int64_t i = 0; i < u.size(); i += chunk) {
      const int64_t n = std::min(chunk, u.size() - i);
      const Squares some = squares(u.weight + i, m + i, v + i, n, f);
      of_weight += static_cast<double>(some.of_weight);
      of_step += static_cast<double>(some.of_step);
    }
    const double trust = of_weight > 0 && of_step > 0 ? std::sqrt(of_weight / of_step) : 1;
    lamb_step(u.weight, m, v, u.size(), static_cast<float>(*lr * trust), f);
  }
};

WEFT_NODE(Lamb, "lamb", "Adam with steps as long as the weight is: for large batches.",
          "{lr: 1e-2, weight_decay: 0.05}")

}  // namespace
}  // namespace weft

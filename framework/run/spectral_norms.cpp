#include "framework/run/spectral_norms.h"

#include <algorithm>

#include "framework/node/loops.h"

namespace weft {

namespace {
constexpr int at_start = 15;  // power iterations, as u is random then

// to = Wᵀ u
void transposed(const Tensor& weight, const Tensor& u, Tensor to) {
  std::fill_n(to.floats(), to.size(), 0.0F);
  for (int64_t i = 0; i < u.size(); ++i)
    add_scaled(weight.floats() + i * to.size(), u.floats()[i], to.floats(), to.size());
}

void normalise(Tensor x) {
  scale(x.floats(), 1 / std::max(std::sqrt(dot(x.floats(), x.floats(), x.size())), 1e-12F),
        x.size());
}
}  // namespace

SpectralNorms::SpectralNorms(const Plan& plan, const Weights& model) : of_(plan.weights.size()) {
  for (const WeightId w : plan.weights.ids()) {
    const PlanWeight& weight = plan.weights[w];
    if (!weight.spectral) continue;
    of_[w].weight = model[weight.name];
    of_[w].u = model[weight.name + "_u"], of_[w].v = model[weight.name + "_v"];
    of_[w].seen = OwnedTensor(weight.shape);
    const auto updates = [&](const PlanPhase& phase) {
      return std::ranges::count(phase.updates, w) > 0;
    };
    const auto follows = [&](const PlanFollow& follow) {
      return std::ranges::count(follow.weights, w) > 0;
    };
    of_[w].moves =
        std::ranges::any_of(plan.phases, updates) || std::ranges::any_of(plan.follows, follows);
  }
  divide(false);
}

void SpectralNorms::Matrix::iterate() const {
  transposed(weight, u, v);
  normalise(v);
  for (int64_t i = 0; i < rows(); ++i)
    u.floats()[i] = dot(weight.floats() + i * cols(), v.floats(), cols());
  normalise(u);
}

void SpectralNorms::divide(bool iterate) {
  for (Matrix& one : of_) {
    if (!one) continue;
    const bool fresh = std::ranges::all_of(one.v.span(), [](float x) { return x == 0; });
    for (int i = 0; fresh && i < at_start; ++i) one.iterate();
    if (iterate && one.moves) one.iterate();
    one.sigma = 0;
    for (int64_t i = 0; i < one.rows(); ++i)
      one.sigma +=
          one.u.floats()[i] * dot(one.weight.floats() + i * one.cols(), one.v.floats(), one.cols());
    one.sigma = std::max(one.sigma, 1e-12F);  // all zeros stay so
    scaled(one.weight.floats(), 1 / one.sigma, one.seen.view.floats(), one.weight.size());
  }
}

void SpectralNorms::correct(WeightId weight, float* grad) const {
  const Matrix& one = of_[weight];
  if (!one) return;
  const int64_t n = one.cols();
  const float along = dot(grad, one.seen.view.floats(), one.weight.size());
  for (int64_t i = 0; i < one.rows(); ++i) {
    add_scaled(one.v.floats(), -along * one.u.floats()[i], grad + i * n, n);
    scale(grad + i * n, 1 / one.sigma, n);
  }
}

}  // namespace weft

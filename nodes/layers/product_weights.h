// What layers of a learned product have in common: how their weights start and are seen, and what
// passes their activation.
#pragma once

#include <cmath>

#include "framework/node/dnn.h"
#include "framework/node/node.h"

namespace weft {

struct ProductWeights {
  Node* owner;
  Param<double> gain{owner, "gain",
                     "Weights start uniform up to this / √(inputs of an output); 0: all zero.", 1,
                     at_least(0)};
  Param<bool> spectral{owner, "spectral_norm",
                       "The weight is divided by its spectral norm, which one power iteration a "
                       "training step follows (Miyato et al. 2018, arXiv:1802.05957).",
                       false};

  // Shapes the weight, [outputs, ...], and the offset if there is one.
  void shape(Weight& weight, const Shape& shape, Weight* bias, int64_t inputs) const {
    const Init init = Init::uniform(*gain / std::sqrt(static_cast<double>(inputs)));
    weight.shape(shape, init);
    if (*spectral) weight.spectral_norm();
    if (bias) bias->shape({shape.rows()}, init);
  }
};

inline bool is_smooth(Activation f) {
  return f == Activation::tanh || f == Activation::sigmoid;
}

// bend = f''(x) grad v, where y = f(x), of a smooth f, and along = f'(x) v; it may be `along`.
inline void activation_twice(Activation f, const float* y, const float* grad, const float* along,
                             float* bend, int64_t n) {
  const float at_0 = f == Activation::sigmoid ? 1 : 0;
  for (int64_t i = 0; i < n; ++i) bend[i] = grad[i] * along[i] * (at_0 - 2 * y[i]);
}

}  // namespace weft

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

// A smooth activation is a node of its own where gradients of gradients pass it.
inline Twice twice_through(Activation activation) {
  const bool smooth = activation == Activation::tanh || activation == Activation::sigmoid;
  return smooth ? Twice::no : Twice::yes;
}

}  // namespace weft

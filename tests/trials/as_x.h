// What nodes of these plugins have in common: an input, and an output of its shape.
#pragma once

#include "framework/node/plugin.h"

namespace weft {

class AsX : public Node {
 public:
  In x{this, "x", "Any shape but []."};
  Out y{this, "y", "As x."};

  void infer() override {
    if (x.shape().rank() == 0) throw Error("`x` is [], but must be [batch, ...]");
    y.shape(x.shape());
  }
};

}  // namespace weft

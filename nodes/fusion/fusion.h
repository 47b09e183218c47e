// The base of nodes that make one tensor of several.
#pragma once

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {

class Fusion : public Node {
 public:
  Ins xs;
  Out y;

 protected:
  Fusion(const char* y_doc, const char* xs_doc = "Tensors of one shape.", PortTraits of_xs = {})
      : xs(this, "xs", xs_doc, of_xs), y(this, "y", y_doc) {}

  void infer() override {
    for (const auto& x : xs)
      if (x->shape() != xs[0].shape())
        throw Error("`xs` has " + xs[0].shape().str() + " and " + x->shape().str() +
                    ", but all must have one shape");
    y.shape(xs[0].shape());
    y.forward_only();
  }
};

// The base of nodes that fuse the scores of several experts for the same classes.
class ClassFusion : public Fusion {
 protected:
  explicit ClassFusion(const char* y_doc, PortTraits of_xs = {})
      : Fusion(y_doc, "Logits of each expert, [batch, ..., classes].", of_xs) {}

  int64_t classes() const { return y.shape().back(); }

  void infer() override {
    Fusion::infer();
    if (y.shape().rank() < 2 || classes() == 0)
      throw Error("`xs` starts with " + y.shape().str() + ", but must be [batch, ..., classes]");
  }
};

}  // namespace weft

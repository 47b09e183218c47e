// The base of losses that compare two tensors element by element, with one value for each sample.
#pragma once

#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"

namespace weft {

enum class Reduce { mean_per_sample, sum_per_sample };
inline std::vector<std::string> names(Reduce) {
  return {"mean_per_sample", "sum_per_sample"};
}

class ElementwiseLoss : public Node {
 public:
  In x, target;
  Out y{this, "y", "[batch]"};
  Param<Reduce> reduce{this, "reduce", "Over the elements of a sample.", Reduce::mean_per_sample};

 protected:
  ElementwiseLoss(const char* x_doc, const char* target_doc, PortTraits of_target = {})
      : x(this, "x", x_doc), target(this, "target", target_doc, of_target) {}

  void infer() final {
    if (x.shape() != target.shape())
      throw Error("`x` is " + x.shape().str() + ", but `target` is " + target.shape().str() +
                  ": both must have one shape" + hint());
    if (x.shape().rank() < 1) throw Error("`x` is one number, but must be [batch, ...]");
    y.shape({x.rows()});
  }

  // Advice about images of different sizes, where a decoder does not mirror its encoder.
  std::string hint() const {
    const Shape &a = x.shape(), &b = target.shape();
    if (a.rank() != 4 || b.rank() != 4 || (a[1] == b[1] && a[2] == b[2])) return "";
    return "; a decoder has to return to the size of its encoder's input, and a transposed "
           "convolution makes (size - 1) · stride + kernel - 2 · padding pixels of `size`";
  }

  // The factor of one element in its sample's value.
  float share() const {
    return *reduce == Reduce::mean_per_sample ? 1 / static_cast<float>(x.row_size()) : 1;
  }
};

}  // namespace weft

#include <algorithm>

#include "framework/node/loops.h"
#include "nodes/fusion/fusion.h"

namespace weft {
namespace {

class AddN final : public Fusion {
 public:
  AddN() : Fusion("Their sum.") {}

 private:
  Twice twice() const override { return Twice::linear; }
  void infer() override {
    Fusion::infer();
    xs.forward_only();
  }
  void forward(const Step&) override {
    std::copy_n(xs[0].data(), y.size(), y.data());
    for (size_t i = 1; i < xs.size(); ++i) add_scaled(xs[i].data(), 1, y.data(), y.size());
  }
  void backward(const Step&) override {
    for (const auto& x : xs)
      if (x->wants_grad()) std::copy_n(y.grad(), y.size(), x->grad());
  }
};

WEFT_NODE(AddN, "add_n", "The sum of several tensors of one shape.",
          "{xs: [[4, 3], [4, 3], [4, 3]]}")

}  // namespace
}  // namespace weft

#include "framework/node/loops.h"
#include "nodes/fusion/fusion.h"

namespace weft {
namespace {

class Average final : public Fusion {
 public:
  Average() : Fusion("Their mean.") {}

 private:
  float share() const { return 1 / static_cast<float>(xs.size()); }

  Twice twice() const override { return Twice::linear; }
  void infer() override {
    Fusion::infer();
    xs.forward_only();
  }

  void forward(const Step&) override {
    scaled(xs[0].data(), share(), y.data(), y.size());
    for (size_t i = 1; i < xs.size(); ++i) add_scaled(xs[i].data(), share(), y.data(), y.size());
  }

  void backward(const Step&) override {
    for (const auto& x : xs)
      if (x->wants_grad()) scaled(y.grad(), share(), x->grad(), y.size());
  }
};

WEFT_NODE(Average, "average", "The mean of several tensors.", "{xs: [[4, 3], [4, 3], [4, 3]]}")

}  // namespace
}  // namespace weft

#include "framework/node/loops.h"
#include "framework/node/softmax.h"
#include "nodes/fusion/fusion.h"

namespace weft {
namespace {

// A weighted sum as in Peters et al. 2018, arXiv:1802.05365, eq. 1, without its factor.
class WeightedFusion final : public Fusion {
 public:
  WeightedFusion() : Fusion("Σ share · x; the shares are softmax(weight).") {}

 private:
  Weight weight{this, "weight", "[n], one for each of `xs`."};
  std::vector<float> share_, slope_;

  size_t n() const { return xs.size(); }
  bool learns_in_lanes() const override { return true; }

  void infer() override {
    Fusion::infer();
    weight.shape({static_cast<int64_t>(n())}, Init::constant(0));
  }

  void prepare(Pass) override { share_.resize(n()), slope_.resize(n()); }

  void weigh() {
    const float all = log_sum_exp(weight.data(), static_cast<int64_t>(n()));
    for (size_t i = 0; i < n(); ++i) share_[i] = simd::exp(weight.data()[i] - all);
  }

  void forward(const Step&) override {
    weigh();
    scaled(xs[0].data(), share_[0], y.data(), y.size());
    for (size_t i = 1; i < n(); ++i) add_scaled(xs[i].data(), share_[i], y.data(), y.size());
  }

  void backward(const Step&) override {
    weigh();
    for (size_t i = 0; i < n(); ++i)
      if (xs[i].wants_grad()) scaled(y.grad(), share_[i], xs[i].grad(), y.size());
  }

  void learn(const Step&) override {
    weigh();
    float mean = 0;
    for (size_t i = 0; i < n(); ++i) {
      slope_[i] = dot(y.grad(), xs[i].data(), y.size());
      mean += share_[i] * slope_[i];
    }
    for (size_t i = 0; i < n(); ++i) weight.grad()[i] = share_[i] * (slope_[i] - mean);
  }
};

WEFT_NODE(WeightedFusion, "weighted_fusion", "A mean of several tensors whose weights are learned.",
          "{xs: [[4, 3], [4, 3], [4, 3]]}")

}  // namespace
}  // namespace weft

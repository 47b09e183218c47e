#include <cmath>

#include "nodes/losses/classes.h"

namespace weft {
namespace {

// The focal loss of Lin et al. 2017, arXiv:1708.02002, eq. 5, with softmax in place of sigmoid:
// -α (1 - p)^γ ln p, where p is the probability of the right class.
class Focal final : public ClassLoss {
  Param<double> gamma{this, "gamma",
                      "How little a position counts that is already right; 0: as any.", 2,
                      scheduled(at_least(0))};
  Param<std::vector<double>> alpha{this, "alpha",
                                   "How much a position counts, for each class; none: alike.",
                                   std::vector<double>{}, at_least(0)};

  void infer() override {
    ClassLoss::infer();
    if (!alpha->empty() && static_cast<int64_t>(alpha->size()) != classes())
      throw Error("`alpha` has " + std::to_string(alpha->size()) + " numbers, but `logits` has " +
                  std::to_string(classes()) + " classes");
  }

  // α (1 - p)^γ
  float weight(float log_p, int32_t label) const {
    const float left = std::pow(-std::expm1(log_p), static_cast<float>(*gamma));
    return alpha->empty() || !known(label) ? left : left * static_cast<float>((*alpha)[label]);
  }

  float loss(const float* x, float log_sum, int32_t label) const override {
    const float log_p = right(x, label) - log_sum;
    return -weight(log_p, label) * log_p;
  }

  // The gradient of -ln p is softmax(x), less 1 at the label.
  void spread(const float* x, float log_sum, int32_t label, float by, float* grad) const override {
    const float log_p = right(x, label) - log_sum, q = -std::expm1(log_p);
    const float rise = q == 0 ? 1 : -log_p / q;  // its limit where p is 1
    by *= weight(log_p, label) * (1 + static_cast<float>(*gamma) * std::exp(log_p) * rise);
    softmax_error(x, log_sum, 0, by, grad, classes());
    if (known(label)) grad[label] -= by;
  }
};

WEFT_NODE(Focal, "focal", "Cross entropy that counts less where softmax(logits) is already right.",
          "{logits: [4, 3, 3], label: {shape: [4, 3], below: 3}, gamma: 1.5, alpha: [0.5, 1, 2]}")

}  // namespace
}  // namespace weft

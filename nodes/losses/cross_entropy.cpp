#include "framework/node/loops.h"
#include "nodes/losses/classes.h"

namespace weft {
namespace {

class CrossEntropy final : public ClassLoss {
  Param<double> label_smoothing{this, "label_smoothing",
                                "Share of the target given to all classes alike.", 0,
                                scheduled(within(0, 1))};

  float smooth() const { return static_cast<float>(*label_smoothing); }

  float loss(const float* x, float log_sum, int32_t label) const override {
    return log_sum - (1 - smooth()) * right(x, label) -
           (smooth() > 0 ? smooth() * (sum_of(x, classes()) / static_cast<float>(classes())) : 0);
  }

  void spread(const float* x, float log_sum, int32_t label, float by, float* grad) const override {
    softmax_error(x, log_sum, smooth() / static_cast<float>(classes()), by, grad, classes());
    if (known(label)) grad[label] -= by * (1 - smooth());
  }
};

WEFT_NODE(CrossEntropy, "cross_entropy",
          "Cross entropy of softmax(logits) and a class, one value for each sample.",
          "{logits: [4, 5], label: {shape: [4], below: 5}, label_smoothing: 0.1}")

}  // namespace
}  // namespace weft

#include <algorithm>
#include <vector>

#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

// The mean over the batches so far, of which each counts `decay` times as much as the next one:
// Kingma & Ba 2014, arXiv:1412.6980, section 3, without the bias of the start.
class MovingAverage final : public Node {
  In x{this, "x", "[batch, ...]", {.grad = false}};
  Out y{
      this, "y",
      "The average of `x` over batches, this one included, and their rows: the same for each row, "
      "shaped as `x`."};
  Param<double> decay{this, "decay", "What a step leaves of the weight of earlier batches.", 0.99,
                      scheduled(within(0, 1))};
  State mean{this, "mean", "The average, [elements of a row]; 0 at first."};
  State weight{this, "weight", "Of all batches so far, less than 1, [1]."};

  std::vector<float> sum_;  // [elements of a row]

  Observes observes() const override { return Observes::batch; }

  void infer() override {
    if (x.shape().rank() < 1) throw Error("`x` is one number, but must be [batch, ...]");
    y.shape(x.shape());
    mean.shape({x.row_size()}, Init::constant(0));
    weight.shape({1}, Init::constant(0));
  }

  void prepare(Pass pass) override {
    if (pass == Pass::observe) sum_.resize(static_cast<size_t>(x.row_size()));
  }

  void observe(const Step& step) override {
    const auto keep = static_cast<float>(*decay);
    float& all = weight.data()[0];
    all = keep * all + (1 - keep);
    if (all == 0) return;
    const float share = (1 - keep) / all;
    sum_rows(x.data(), step.rows, x.row_size(), x.row_size(), sum_.data());
    for (int64_t j = 0; j < x.row_size(); ++j)
      mean.data()[j] +=
          share * (sum_[static_cast<size_t>(j)] / static_cast<float>(step.rows) - mean.data()[j]);
  }

  void forward(const Step&) override {
    for (int64_t row = 0; row < y.rows(); ++row)
      std::copy_n(mean.data(), y.row_size(), y.data() + row * y.row_size());
  }
};

WEFT_NODE(MovingAverage, "moving_average",
          "A running mean over batches, such as a baseline or a centre.",
          "{x: [4, 3, 5], decay: 0.9}", .follows_state = true)

}  // namespace
}  // namespace weft

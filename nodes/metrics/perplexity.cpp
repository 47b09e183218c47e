#include <algorithm>
#include <cmath>

#include "framework/node/measure.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Perplexity final : public Measure {
  In x{this, "x", "Cross entropy in nats, [batch].", {.grad = false}};
  double sum_ = 0, samples_ = 0;

  void infer() override {
    if (x.shape().rank() != 1)
      throw Error("`x` is " + x.shape().str() +
                  ", but must be one number for each sample, [batch]");
    y.shape(Shape{});
  }
  void begin() override { sum_ = samples_ = 0; }
  void forward(const Step& step) override {
    const int64_t n = std::min(step.rows, x.rows());
    for (int64_t row = 0; row < n; ++row) sum_ += static_cast<double>(x.data()[row]);
    samples_ += static_cast<double>(n);
  }
  double result() override { return std::exp(sum_ / samples_); }
};

WEFT_NODE(Perplexity, "perplexity",
          "e to the mean cross entropy of the whole set: among how many a guess chooses.",
          "{x: [5]}")

}  // namespace
}  // namespace weft

#include <algorithm>

#include "framework/node/measure.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Worst final : public Measure {
  In x{this, "x", "One number for each sample, [batch].", {.grad = false}};
  float greatest_ = 0;

  void infer() override {
    if (x.shape().rank() != 1) throw Error("`x` is " + x.shape().str() + ", but must be [batch]");
    y.shape(Shape{});
  }

  void begin() override { greatest_ = 0; }
  void forward(const Step& step) override {  // rows from step.rows on are no samples
    for (int64_t row = 0; row < std::min(step.rows, x.rows()); ++row)
      greatest_ = std::max(greatest_, x.data()[row]);
  }
  double result() override { return static_cast<double>(greatest_); }
};

WEFT_NODE(Worst, "worst", "The greatest of the whole set, or 0.", "{x: [5]}")

}  // namespace
}  // namespace weft

#include <cmath>
#include <string>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class ToInt final : public Node {
  In x{this, "x", "Of any shape.", {.grad = false}};
  Out y{this, "y", "Shaped as `x`: the nearest whole numbers, the even one of two.", DType::i32};

  void infer() override { y.shape(x.shape()); }
  void forward(const Step& step) override {
    const int64_t samples = (step.rows - first_row()) * x.row_size();
    for (int64_t i = 0; i < x.size(); ++i) {
      const float rounded = std::nearbyint(x.data()[i]);
      const bool fits = std::abs(rounded) < 0x1p31F;
      if (!fits && i < samples)
        throw Error(Exit::data, "`x` holds " + std::to_string(x.data()[i]) +
                                    ", which is beyond what i32 holds");
      y.ints()[i] = fits ? static_cast<int32_t>(rounded) : 0;
    }
  }
};

WEFT_NODE(ToInt, "to_int", "The nearest whole numbers, such as the turn of a loop as a position.",
          "{x: [4, 3]}")

}  // namespace
}  // namespace weft

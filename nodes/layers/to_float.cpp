#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class ToFloat final : public Node {
  In x{this, "x", "Whole numbers of any shape.", {.dtype = DType::i32, .grad = false}};
  Out y{this, "y", "Shaped as `x`; exact up to 2^24."};

  void infer() override { y.shape(x.shape()); }
  void forward(const Step&) override {
    for (int64_t i = 0; i < x.size(); ++i) y.data()[i] = static_cast<float>(x.ints()[i]);
  }
};

WEFT_NODE(ToFloat, "to_float", "Whole numbers, such as labels, as f32.",
          "{x: {shape: [4, 3], below: 9}}")

}  // namespace
}  // namespace weft

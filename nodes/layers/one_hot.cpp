#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class OneHot final : public Node {
  In label{this, "label", "Classes, [batch, ...].", {.dtype = DType::i32, .grad = false}};
  Out y{this, "y", "[batch, ..., classes]; zeros where the label is out of range."};
  Param<int64_t> classes{this, "classes", "How many there are.", required, within(1, 1 << 24)};

  void infer() override { y.shape(label.shape().inserted(label.shape().rank(), *classes)); }

  void forward(const Step&) override {
    std::fill_n(y.data(), y.size(), 0.0F);
    for (int64_t i = 0; i < label.size(); ++i)
      if (const int32_t t = label.ints()[i]; t >= 0 && t < *classes) y.data()[i * *classes + t] = 1;
  }
};

WEFT_NODE(OneHot, "one_hot", "1 at each class, 0 elsewhere.",
          "{label: {shape: [4, 2], below: 5}, classes: 5}")

}  // namespace
}  // namespace weft

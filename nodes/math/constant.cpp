#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Constant final : public Node {
  In like{this, "like", "[batch, ...]; gives the batch, its values are not read.", {.grad = false}};
  Out y{this, "y", "[batch] of one number, [batch, n] of several: the same in each row."};
  Param<std::vector<double>> value{this, "value", "A number, or a list.", required};

  void infer() override {
    if (like.shape().rank() == 0) throw Error("`like` is one number, [], but must be [batch, ...]");
    if (value->empty()) throw Error("`value` is an empty list, but must have a number");
    const auto n = static_cast<int64_t>(value->size());
    y.shape(n == 1 ? Shape{like.rows()} : Shape{like.rows(), n});
  }

  void forward(const Step&) override {
    float* to = y.data();
    for (int64_t row = 0; row < y.rows(); ++row)
      for (const double number : *value) *to++ = static_cast<float>(number);
  }
};

WEFT_NODE(Constant, "constant", "Numbers of the pipeline, the same for each sample.",
          "{like: [4, 3], value: [0.5, -1, 2]}")

}  // namespace
}  // namespace weft

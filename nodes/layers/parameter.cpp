#include <algorithm>

#include "framework/node/loops.h"
#include "framework/node/plugin.h"
#include "nodes/math/shared_value.h"

namespace weft {
namespace {

class Parameter final : public SharedValue {
  Out y{this, "y", "[1, *shape], which all samples share; with `like`, a copy for each."};
  Param<std::vector<int64_t>> shape{this, "shape", "Of the weight; [] is one number.",
                                    std::vector<int64_t>{}, at_least(1)};
  Param<double> start{this, "start", "What it starts as, everywhere.", 0};
  Param<double> deviation{this, "deviation", "Starts normal around 0 instead, if above 0.", 0,
                          at_least(0)};
  Weight weight{this, "weight", "[n]: the numbers of `shape`, in order."};

  int64_t n() const { return y.row_size(); }

  void infer() override {
    if (*start != 0 && *deviation != 0) throw Error("give either `start` or `deviation`");
    SharedValue::shape(y, *shape);
    y.forward_only();
    weight.shape({n()}, *deviation > 0 ? Init::normal(*deviation) : Init::constant(*start));
  }

  void forward(const Step&) override {
    for (int64_t row = 0; row < y.rows(); ++row)
      std::copy_n(weight.data(), n(), y.data() + row * n());
  }
  void learn(const Step& step) override {
    const Range block = weight.block();
    sum_rows(y.grad() + block.begin, std::min(step.rows, y.rows()), n(), block.size(),
             weight.grad());
  }
};

WEFT_NODE(Parameter, "parameter",
          "A weight as a value: a learned temperature, a token that stands for what is missing.",
          "{like: [4, 2], shape: [3, 2], deviation: 1}")

}  // namespace
}  // namespace weft

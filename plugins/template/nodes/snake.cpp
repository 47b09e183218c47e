#include <cmath>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

// Ziyin, Hartwig & Ueda 2020, "Neural networks fail to learn periodic functions", arXiv:2006.08195.
class Snake final : public Node {
  In x{this, "x", "Any shape."};
  Out y{this, "y", "Shaped as `x`."};
  Param<double> frequency{this, "frequency", "Of the waves.", 1, above(0)};

  float a() const { return static_cast<float>(*frequency); }

  void infer() override { y.shape(x.shape()); }

  void forward(const Step&) override {
    for (int64_t i = 0, n = x.size(); i < n; ++i) {
      const float wave = std::sin(a() * x.data()[i]);
      y.data()[i] = x.data()[i] + wave * wave / a();
    }
  }

  void backward(const Step&) override {  // y' = 1 + sin(2 a x)
    for (int64_t i = 0, n = x.size(); i < n; ++i)
      x.grad()[i] = y.grad()[i] * (1 + std::sin(2 * a() * x.data()[i]));
  }
};

WEFT_NODE(Snake, "snake", "x + sin²(a x) / a.", "{x: [4, 3, 5], frequency: 1.5}")
}  // namespace
}  // namespace weft

#include <cmath>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Distance final : public Node {
  In a{this, "a", "[batch, ...]", {.grad = false}};
  In b{this, "b", "Shaped as `a`.", {.grad = false}};
  Out y{this, "y", "[batch]"};

  void infer() override {
    if (a.shape() != b.shape() || a.shape().rank() < 1)
      throw Error("`a` is " + a.shape().str() + ", but `b` is " + b.shape().str());
    y.shape({a.rows()});
  }

  void forward(const Step&) override {
    for (int64_t row = 0; row < y.rows(); ++row) {
      double sum = 0;
      for (int64_t i = row * a.row_size(); i < (row + 1) * a.row_size(); ++i) {
        const double apart = a.data()[i] - b.data()[i];
        sum += apart * apart;
      }
      y.data()[row] = static_cast<float>(std::sqrt(sum));
    }
  }
};

WEFT_NODE(Distance, "distance", "How far two points lie apart (Euclid).", "{a: [4, 2], b: [4, 2]}")

}  // namespace
}  // namespace weft

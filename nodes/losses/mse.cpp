#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"

namespace weft {
namespace {

WEFT_SIMD float squared_error(const float* __restrict x, const float* __restrict t, int64_t n) {
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) sum += (x[i] - t[i]) * (x[i] - t[i]);
  return sum;
}

WEFT_SIMD void squared_error_backward(const float* __restrict x, const float* __restrict t,
                                      float grad_y, float* __restrict grad, int64_t n) {
  for (int64_t i = 0; i < n; ++i) grad[i] = grad_y * 2 * (x[i] - t[i]);
}

enum class Reduce { mean_per_sample, sum_per_sample };
std::vector<std::string> names(Reduce) {
  return {"mean_per_sample", "sum_per_sample"};
}

class Mse final : public Node {
  In x{this, "x", "[batch, ...]"};
  In target{this, "target", "Shaped as `x`."};
  Out y{this, "y", "[batch]"};
  Param<Reduce> reduce{this, "reduce", "Over the elements of a sample.", Reduce::mean_per_sample};

  void infer() override {
    if (x.shape() != target.shape() || x.shape().rank() < 1)
      throw Error("`x` is " + x.shape().str() + " and `target` is " + target.shape().str() +
                  ", but both must be [batch, ...]");
    y.shape({x.rows()});
  }

  float share() const {
    return *reduce == Reduce::mean_per_sample ? 1 / static_cast<float>(x.row_size()) : 1;
  }

  void forward(const Step&) override {
    const int64_t n = x.row_size();
    for (int64_t i = 0; i < y.rows(); ++i)
      y.data()[i] = share() * squared_error(x.data() + i * n, target.data() + i * n, n);
  }

  void backward(const Step&) override {
    backward_towards(x, target);
    backward_towards(target, x);
  }

  void backward_towards(const In& a, const In& b) const {
    const int64_t n = a.row_size();
    if (a.wants_grad())
      for (int64_t i = 0; i < y.rows(); ++i)
        squared_error_backward(a.data() + i * n, b.data() + i * n, share() * y.grad()[i],
                               a.grad() + i * n, n);
  }
};

WEFT_NODE(Mse, "mse", "Squared error, one value for each sample.",
          "{x: [4, 3, 5], target: [4, 3, 5]}")

}  // namespace
}  // namespace weft

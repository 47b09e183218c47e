#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"

namespace weft {
namespace {

WEFT_SIMD float shortfall(const float* __restrict x, float margin, float sign, int64_t n) {
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) {
    const float lack = margin - sign * x[i];
    sum += lack > 0 ? lack : 0;
  }
  return sum;
}

WEFT_SIMD void shortfall_backward(const float* __restrict x, float margin, float sign, float by,
                                  float* __restrict grad, int64_t n) {
  for (int64_t i = 0; i < n; ++i) grad[i] = margin - sign * x[i] > 0 ? -sign * by : 0;
}

// The hinge loss of Lim & Ye 2017, arXiv:1705.02894. A discriminator takes sign 1 for what is real,
// -1 for what is not.
class Hinge final : public Node {
  In x{this, "x", "Scores, [batch, ...]."};
  Out y{this, "y", "[batch]; mean of max(0, margin - sign · x) over a sample."};
  Param<double> margin{this, "margin", "How far on the right side of 0 is far enough.", 1,
                       scheduled(at_least(0))};
  Param<int64_t> sign{this, "sign", "The right side: 1 above 0, -1 below.", 1, within(-1, 1)};

  float share() const { return 1 / static_cast<float>(x.row_size()); }

  void infer() override {
    if (x.shape().rank() < 1) throw Error("`x` is one number, but must be [batch, ...]");
    if (*sign == 0) throw Error("`sign` is 0, but must be 1 or -1");
    y.shape({x.rows()});
  }

  void forward(const Step&) override {
    const int64_t n = x.row_size();
    for (int64_t i = 0; i < y.rows(); ++i)
      y.data()[i] = share() * shortfall(x.data() + i * n, static_cast<float>(*margin),
                                        static_cast<float>(*sign), n);
  }

  void backward(const Step&) override {
    const int64_t n = x.row_size();
    if (x.wants_grad())
      for (int64_t i = 0; i < y.rows(); ++i)
        shortfall_backward(x.data() + i * n, static_cast<float>(*margin), static_cast<float>(*sign),
                           share() * y.grad()[i], x.grad() + i * n, n);
  }
};

WEFT_NODE(Hinge, "hinge", "How far scores are from the right side of a margin, for each sample.",
          "{x: [4, 3, 5], margin: 0.02, sign: -1}")

}  // namespace
}  // namespace weft

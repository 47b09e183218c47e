#include <array>
#include <cmath>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

constexpr int64_t window = 11;

std::array<double, window> gaussian() {
  constexpr double sigma = 1.5;
  std::array<double, window> weights{};
  double sum = 0;
  for (int64_t i = 0; i < window; ++i) {
    const double at = (static_cast<double>(i) - (window - 1) / 2.0) / sigma;
    sum += weights[static_cast<size_t>(i)] = std::exp(-at * at / 2);
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

// Structural similarity: Wang et al. 2004, "Image quality assessment: from error visibility to
// structural similarity", equation 13.
class Ssim final : public Node {
  In x{this, "x", "[batch, h, w, c], at least 11 x 11.", {.grad = false}};
  In target{this, "target", "Shaped as `x`.", {.grad = false}};
  Out y{this, "y", "1 for a perfect copy, [batch]; mean over channels and 11 x 11 windows."};
  Param<double> peak{this, "peak", "The span of the values: 1 for [0, 1], 2 for [-1, 1].", 1,
                     above(0)};

  struct Moments {
    double x = 0, t = 0, xx = 0, tt = 0, xt = 0;
    void add(double weight, const Moments& m) {
      x += weight * m.x, t += weight * m.t;
      xx += weight * m.xx, tt += weight * m.tt, xt += weight * m.xt;
    }
  };
  const std::array<double, window> weights_ = gaussian();
  std::vector<Moments> rows_;  // of the windows along each line of an image, [h, width()]

  int64_t channels() const { return x.shape()[3]; }
  int64_t width() const { return (x.shape()[2] - window + 1) * channels(); }
  int64_t height() const { return x.shape()[1] - window + 1; }

  void infer() override {
    const Shape& shape = x.shape();
    if (shape != target.shape() || shape.rank() != 4 || height() < 1 || width() < 1)
      throw Error("`x` is " + shape.str() + " and `target` is " + target.shape().str() +
                  ", but both must have one shape, [batch, h, w, c], with `h` and `w` at least 11");
    y.shape({x.rows()});
  }

  void prepare(Pass) override { rows_.resize(static_cast<size_t>(x.shape()[1] * width())); }

  void forward(const Step&) override {
    const auto windows = static_cast<double>(height() * width());
    for (int64_t i = 0; i < x.rows(); ++i) {
      blur_lines(x.data() + i * x.row_size(), target.data() + i * x.row_size());
      double sum = 0;
      for (int64_t top = 0; top < height(); ++top)
        for (int64_t left = 0; left < width(); ++left) sum += similarity(blurred(top, left));
      y.data()[i] = static_cast<float>(sum / windows);
    }
  }

  void blur_lines(const float* a, const float* b) {
    const int64_t line = x.shape()[2] * channels();
    for (int64_t row = 0; row < x.shape()[1]; ++row)
      for (int64_t left = 0; left < width(); ++left) {
        Moments& sums = rows_[static_cast<size_t>(row * width() + left)] = {};
        for (int64_t k = 0; k < window; ++k) {
          const double p = a[row * line + left + k * channels()];
          const double q = b[row * line + left + k * channels()];
          sums.add(weights_[static_cast<size_t>(k)], {p, q, p * p, q * q, p * q});
        }
      }
  }

  Moments blurred(int64_t top, int64_t left) const {
    Moments sums;
    for (int64_t k = 0; k < window; ++k)
      sums.add(weights_[static_cast<size_t>(k)],
               rows_[static_cast<size_t>((top + k) * width() + left)]);
    return sums;
  }

  double similarity(const Moments& m) const {
    const double c1 = std::pow(0.01 * *peak, 2), c2 = std::pow(0.03 * *peak, 2);
    const double xx = m.x * m.x, tt = m.t * m.t, xt = m.x * m.t;
    return (2 * xt + c1) * (2 * (m.xt - xt) + c2) / ((xx + tt + c1) * (m.xx - xx + m.tt - tt + c2));
  }
};

WEFT_NODE(Ssim, "ssim", "Structural similarity of each image to its target.",
          "{x: [4, 12, 13, 2], target: [4, 12, 13, 2], peak: 2}")

}  // namespace
}  // namespace weft

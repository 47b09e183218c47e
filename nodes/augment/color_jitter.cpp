#include <algorithm>
#include <array>

#include "framework/node/plugin.h"
#include "nodes/layers/windows.h"

namespace weft {
namespace {

// Colour distortion as in Chen et al. 2020, "A simple framework for contrastive learning", appendix
// A, but without hue.
class ColorJitter final : public Node {
  In x{this, "x", "Images in [0, 1], [batch, height, width, 1 or 3].", {.grad = false}};
  Out y{this, "y", "Shaped as `x`, in [0, 1]."};
  Param<double> brightness{this, "brightness", "Factors are in 1 ± brightness.", 0.4,
                           scheduled(within(0, 1))};
  Param<double> contrast{this, "contrast", "Around the mean luma, factors in 1 ± contrast.", 0.4,
                         scheduled(within(0, 1))};
  Param<double> saturation{this, "saturation", "Around the luma, factors in 1 ± saturation.", 0.4,
                           scheduled(within(0, 1))};
  Param<double> gray{this, "gray", "The probability that colours are lost.", 0.2,
                     scheduled(within(0, 1))};

  int64_t c() const { return x.shape()[3]; }

  void infer() override {
    expect_images(x);
    if (c() != 1 && c() != 3)
      throw Error("`x` is " + x.shape().str() + ", but an image has 1 or 3 channels");
    y.shape(x.shape());
  }

  float luma(const float* pixel) const {
    return c() == 1 ? pixel[0] : 0.299F * pixel[0] + 0.587F * pixel[1] + 0.114F * pixel[2];
  }

  void forward(const Step& step) override {
    const int64_t n = x.row_size();
    for (int64_t row = 0; row < x.rows(); ++row) {
      std::array<float, 4> u{};
      random(step, row).uniform(u);
      const auto factor = [&](size_t i, double strength) {
        return 1 + static_cast<float>(strength) * (2 * u[i] - 1);
      };
      const float bright = factor(0, *brightness), steep = factor(1, *contrast);
      const bool loses = u[3] < static_cast<float>(*gray);
      const float vivid = loses ? 0 : factor(2, *saturation);
      const float* in = x.data() + row * n;
      float* out = y.data() + row * n;
      double sum = 0;
      for (int64_t i = 0; i < n; i += c()) sum += luma(in + i);
      const int64_t pixels = n / c();
      const auto mean = bright * static_cast<float>(sum / static_cast<double>(pixels));
      for (int64_t i = 0; i < n; i += c()) {
        const float own = mean + steep * (bright * luma(in + i) - mean);
        for (int64_t k = i; k < i + c(); ++k) {
          const float v = mean + steep * (bright * in[k] - mean);
          out[k] = std::clamp(own + vivid * (v - own), 0.0F, 1.0F);
        }
      }
    }
  }
};

WEFT_NODE(ColorJitter, "color_jitter", "Changes brightness, contrast and colours at random.",
          "{x: [6, 3, 4, 3]}")

}  // namespace
}  // namespace weft

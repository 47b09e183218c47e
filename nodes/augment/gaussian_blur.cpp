#include <algorithm>
#include <array>
#include <cmath>

#include "framework/node/loops.h"
#include "framework/node/plugin.h"
#include "nodes/layers/windows.h"

namespace weft {
namespace {

class GaussianBlur final : public Node {
  In x{this, "x", "Images, [batch, height, width, channels].", {.grad = false}};
  Out y{this, "y", "Shaped as `x`."};
  Param<int64_t> radius{this, "radius", "Pixels on each side that count.", 1, within(1, 32)};
  Param<std::vector<double>> sigma{
      this, "sigma", "Least and greatest deviation, in pixels.", {0.1, 2}, within(1e-3, 100)};
  Param<double> probability{this, "probability", "That an image is blurred.", 0.5,
                            scheduled(within(0, 1))};

  std::vector<float> across_;  // an image blurred along its rows, [height, width, channels]

  void infer() override {
    expect_images(x);
    if (sigma->size() != 2 || (*sigma)[0] > (*sigma)[1])
      throw Error("`sigma` must be two numbers, the least and the greatest");
    y.shape(x.shape());
  }

  void prepare(Pass) override { across_.resize(static_cast<size_t>(x.row_size())); }

  void forward(const Step& step) override {
    const int64_t h = x.shape()[1], w = x.shape()[2], c = x.shape()[3], r = *radius;
    for (int64_t row = 0; row < x.rows(); ++row) {
      std::array<float, 2> u{};
      random(step, row).uniform(u);
      const float* in = x.data() + row * x.row_size();
      float* out = y.data() + row * x.row_size();
      if (u[0] >= static_cast<float>(*probability)) {
        std::copy_n(in, x.row_size(), out);
        continue;
      }
      const auto low = static_cast<float>((*sigma)[0]), high = static_cast<float>((*sigma)[1]);
      const float deviation = low + u[1] * (high - low);
      std::array<float, 65> share{};
      float sum = 0;
      for (int64_t k = -r; k <= r; ++k) {
        const float z = static_cast<float>(k) / deviation;
        sum += share[static_cast<size_t>(k + r)] = std::exp(-0.5F * z * z);
      }
      std::fill(across_.begin(), across_.end(), 0.0F);
      std::fill_n(out, x.row_size(), 0.0F);
      for (int64_t k = -r; k <= r; ++k) {  // pixels at the edge repeat outside
        const float by = share[static_cast<size_t>(k + r)] / sum;
        for (int64_t i = 0; i < h; ++i)
          for (int64_t j = 0; j < w; ++j)
            add_scaled(in + (i * w + std::clamp<int64_t>(j + k, 0, w - 1)) * c, by,
                       across_.data() + (i * w + j) * c, c);
      }
      for (int64_t k = -r; k <= r; ++k)
        for (int64_t i = 0; i < h; ++i)
          add_scaled(across_.data() + std::clamp<int64_t>(i + k, 0, h - 1) * w * c,
                     share[static_cast<size_t>(k + r)] / sum, out + i * w * c, w * c);
    }
  }
};

WEFT_NODE(GaussianBlur, "gaussian_blur", "Blurs each image or not, by a random deviation.",
          "{x: [6, 5, 4, 2], radius: 2}")

}  // namespace
}  // namespace weft

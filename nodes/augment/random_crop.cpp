#include <algorithm>
#include <array>
#include <cmath>

#include "framework/node/plugin.h"
#include "nodes/layers/windows.h"

namespace weft {
namespace {

// A random part of the image, resized to `size`: the "inception crop" of Szegedy et al. 2014,
// section 6.
class RandomCrop final : public Node {
  In x{this, "x", "Images, [batch, height, width, channels].", {.grad = false}};
  Out y{this, "y", "[batch, size, channels]"};
  PairParam size{
      this, "size", "Of the result: height and width; [] is that of `x`.", {}, within(1, 4096)};
  Param<std::vector<double>> scale{
      this, "scale", "Least and greatest share of the area.", {0.2, 1}, within(1e-4, 1)};
  Param<std::vector<double>> ratio{
      this, "ratio", "Least and greatest width / height.", {0.75, 4.0 / 3}, within(0.01, 100)};

  int64_t c() const { return x.shape()[3]; }

  void infer() override {
    expect_images(x);
    for (const auto* range : {&*scale, &*ratio})
      if (range->size() != 2 || (*range)[0] > (*range)[1])
        throw Error("`scale` and `ratio` must be two numbers each, the least and the greatest");
    const Pair to = size.given() ? *size : Pair{x.shape()[1], x.shape()[2]};
    y.shape({x.rows(), to[0], to[1], c()});
  }

  struct Box {
    float top, left, height, width;
  };

  Box draw(const Step& step, int64_t row) const {
    std::array<float, 4> u{};
    random(step, row).uniform(u);
    const auto h = static_cast<float>(x.shape()[1]), w = static_cast<float>(x.shape()[2]);
    const auto low = static_cast<float>((*scale)[0]), high = static_cast<float>((*scale)[1]);
    const auto thin = static_cast<float>(std::log((*ratio)[0]));
    const auto wide = static_cast<float>(std::log((*ratio)[1]));
    const float area = (low + u[0] * (high - low)) * h * w;
    const float proportion = std::exp(thin + u[1] * (wide - thin));
    const float height = std::min(std::sqrt(area / proportion), h);
    const float width = std::min(std::sqrt(area * proportion), w);
    return {u[2] * (h - height), u[3] * (w - width), height, width};
  }

  // The two old pixels between which a new pixel lies, and the share of the second.
  struct Place {
    int64_t first, second;
    float share;
  };
  static Place place(float begin, float extent, int64_t i, int64_t to, int64_t from) {
    const auto at = begin + (static_cast<float>(i) + 0.5F) * extent / static_cast<float>(to) - 0.5F;
    const float clamped = std::clamp(at, 0.0F, static_cast<float>(from - 1));
    const auto first = static_cast<int64_t>(clamped);
    return {first, std::min(first + 1, from - 1), clamped - static_cast<float>(first)};
  }

  void forward(const Step& step) override {
    const int64_t h = x.shape()[1], w = x.shape()[2], oh = y.shape()[1], ow = y.shape()[2];
    for (int64_t row = 0; row < x.rows(); ++row) {
      const Box box = draw(step, row);
      const float* in = x.data() + row * x.row_size();
      float* out = y.data() + row * y.row_size();
      for (int64_t i = 0; i < oh; ++i) {
        const Place v = place(box.top, box.height, i, oh, h);
        for (int64_t j = 0; j < ow; ++j) {
          const Place u = place(box.left, box.width, j, ow, w);
          for (int64_t k = 0; k < c(); ++k, ++out) {
            const auto pixel = [&](int64_t a, int64_t b) { return in[(a * w + b) * c() + k]; };
            const float above =
                pixel(v.first, u.first) * (1 - u.share) + pixel(v.first, u.second) * u.share;
            const float below =
                pixel(v.second, u.first) * (1 - u.share) + pixel(v.second, u.second) * u.share;
            *out = above * (1 - v.share) + below * v.share;
          }
        }
      }
    }
  }
};

WEFT_NODE(RandomCrop, "random_crop", "A random part of each image, enlarged (bilinear).",
          "{x: [4, 6, 5, 3], scale: [0.3, 1]}")

}  // namespace
}  // namespace weft

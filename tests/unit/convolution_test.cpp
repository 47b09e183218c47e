// Convolutions, of which weft computes some in ways of its own, against the sum that defines them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/node/dnn.h"
#include "framework/node/random.h"

namespace weft::tests {
namespace {

using Numbers = std::vector<float>;
using Sums = std::vector<double>;

Numbers random(int64_t n, uint64_t seed) {
  Numbers all(static_cast<size_t>(n));
  Random(seed, 0, 0).normal(all);
  return all;
}

// Calls f(place in x, in w, in y) for each product of the definition.
template <class F>
void each_product(const ConvolutionShape& s, F f) {
  for (int64_t n = 0; n < s.batch; ++n)
    for (int64_t i = 0; i < s.y_size[0]; ++i)
      for (int64_t j = 0; j < s.y_size[1]; ++j)
        for (int64_t a = 0; a < 3; ++a)
          for (int64_t b = 0; b < 3; ++b) {
            const int64_t row = i + a - s.padding[0], col = j + b - s.padding[1];
            if (row < 0 || col < 0 || row >= s.x_size[0] || col >= s.x_size[1]) continue;
            const int64_t x = ((n * s.x_size[0] + row) * s.x_size[1] + col) * s.in;
            const int64_t y = ((n * s.y_size[0] + i) * s.y_size[1] + j) * s.out;
            for (int64_t o = 0; o < s.out; ++o)
              for (int64_t c = 0; c < s.in; ++c)
                f(static_cast<size_t>(x + c), static_cast<size_t>(((o * s.in + c) * 3 + a) * 3 + b),
                  static_cast<size_t>(y + o));
          }
}

// Within 1e-5 of the typical number.
void expect_near(const Numbers& got, const Sums& want) {
  ASSERT_EQ(got.size(), want.size());
  double squares = 0, most = 0;
  for (const double w : want) squares += w * w;
  for (size_t i = 0; i < got.size(); ++i)
    most = std::max(most, std::abs(static_cast<double>(got[i]) - want[i]));
  EXPECT_LT(most, 1e-5 * std::sqrt(squares / static_cast<double>(want.size())));
}

ConvolutionShape shape(int64_t batch, int64_t height, int64_t width, int64_t padding,
                       int64_t in = 32, int64_t out = 48) {
  const ConvolutionShape::Pair y{height + 2 * padding - 2, width + 2 * padding - 2};
  return {.batch = batch,
          .in = in,
          .out = out,
          .x_size = {height, width},
          .y_size = y,
          .kernel = {3, 3},
          .padding = {padding, padding}};
}

class Convolutions : public testing::TestWithParam<ConvolutionShape> {
 protected:
  const ConvolutionShape s = GetParam();
  const int64_t xs = s.batch * s.x_size[0] * s.x_size[1] * s.in, ws = 9 * s.in * s.out,
                ys = s.batch * s.y_size[0] * s.y_size[1] * s.out;
  Numbers x = random(xs, 1), w = random(ws, 2), y = random(ys, 3), bias = random(s.out, 4);
};

TEST_P(Convolutions, ForwardIsTheSum) {
  Sums want(y.size());
  each_product(s, [&](size_t i, size_t j, size_t k) { want[k] += double(x[i]) * double(w[j]); });
  for (size_t k = 0; k < want.size(); ++k)
    want[k] = std::max(0.0, want[k] + double(bias[k % bias.size()]));
  Convolution(Convolution::Of::y, s, {.bias = true, .activation = Activation::relu})
      .to_y(x.data(), w.data(), y.data(), bias.data());
  expect_near(y, want);
}

TEST_P(Convolutions, GradientOfTheImageIsTheSum) {
  Sums want(x.size());
  each_product(s, [&](size_t i, size_t j, size_t k) { want[i] += double(y[k]) * double(w[j]); });
  Convolution(Convolution::Of::x, s, {}).to_x(x.data(), w.data(), y.data());
  expect_near(x, want);
}

TEST_P(Convolutions, GradientOfTheWeightIsTheSum) {
  Sums want(w.size()), sums(bias.size());
  each_product(s, [&](size_t i, size_t j, size_t k) { want[j] += double(x[i]) * double(y[k]); });
  for (size_t k = 0; k < y.size(); ++k) sums[k % sums.size()] += double(y[k]);
  Convolution(Convolution::Of::w, s, {.bias = true})
      .to_w(x.data(), w.data(), y.data(), bias.data());
  expect_near(w, want);
  expect_near(bias, sums);
}

// By Winograd's algorithm, whole, with tiles cut short, in parts that are not equal; by oneDNN; by
// folding.
INSTANTIATE_TEST_SUITE_P(Shapes, Convolutions,
                         testing::Values(shape(8, 8, 8, 1), shape(7, 7, 9, 1), shape(24, 6, 7, 0),
                                         shape(15, 6, 6, 2), shape(12, 14, 14, 1),
                                         shape(5, 14, 14, 1), shape(35, 4, 4, 1, 256, 160),
                                         shape(1, 3, 3, 0), shape(2, 6, 5, 1, 3, 16)));

}  // namespace
}  // namespace weft::tests

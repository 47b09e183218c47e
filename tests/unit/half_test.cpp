// Products in bf16: those of rounded operands, added up in f32.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "framework/node/dnn_half.h"
#include "framework/node/random.h"

namespace weft::tests {
namespace {

using Numbers = std::vector<float>;

float widened(uint16_t half) {
  return std::bit_cast<float>(static_cast<uint32_t>(half) << 16);
}

float rounded(float x) {
  uint16_t half = 0;
  dnn::round(&x, &half, 1);
  return widened(half);
}

TEST(Bf16, RoundsToTheNearest) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(rounded(1), 1);
  EXPECT_EQ(rounded(-0.0F), 0);
  EXPECT_TRUE(std::signbit(rounded(-0.0F)));
  EXPECT_EQ(rounded(1 + 1.0F / 256), 1);               // a tie, to the even
  EXPECT_EQ(rounded(1 + 3.0F / 256), 1 + 2.0F / 128);  // the other way
  EXPECT_EQ(rounded(1 + 1.01F / 256), 1 + 1.0F / 128);
  EXPECT_EQ(rounded(std::numeric_limits<float>::max()), infinity);
  EXPECT_EQ(rounded(-infinity), -infinity);
  EXPECT_TRUE(std::isnan(rounded(std::numeric_limits<float>::quiet_NaN())));
  EXPECT_TRUE(std::isnan(rounded(std::bit_cast<float>(0x7F800001U))));
  EXPECT_TRUE(std::isnan(rounded(std::bit_cast<float>(0xFFFFFFFFU))));
}

class Products : public testing::Test {
 protected:
  void SetUp() override {
    if (!dnn_has_bf16()) GTEST_SKIP() << "this CPU does not multiply bf16";
  }

  Numbers drawn(int64_t n) {
    Numbers numbers(static_cast<size_t>(n));
    Random(7, drawn_++, 0).normal(numbers);
    return numbers;
  }
  static Numbers rounded_all(Numbers numbers) {
    for (float& x : numbers) x = rounded(x);
    return numbers;
  }
  // `of(a, b)` makes the product with the precision that holds when it is called.
  template <class Of>
  static void expect_rounded(Of of, const Numbers& a, const Numbers& b) {
    const Numbers exact = of(a, b), of_rounded = of(rounded_all(a), rounded_all(b));
    const PrecisionScope scope(Precision::bf16);
    const Numbers half = of(a, b);
    double size = 0;
    for (const float y : exact) size = std::max(size, std::abs(static_cast<double>(y)));
    for (size_t i = 0; i < half.size(); ++i)
      ASSERT_NEAR(half[i], of_rounded[i], 1e-5 * size) << "number " << i;
    EXPECT_NE(half, exact) << "was not rounded at all";
  }

  uint64_t drawn_ = 0;
};

TEST_F(Products, OfMatrices) {
  const int64_t m = 130, k = 200, n = 150;
  const Matrix A = Matrix::plain(m, k), B = Matrix::plain(k, n), C = Matrix::plain(m, n);
  const Matrix wide{m, k, k + 3}, tall = Matrix::plain(k, m).t(), of_b = Matrix::plain(n, k).t();
  const Numbers offset = drawn(n);
  for (const Matrix& a : {A, wide, tall})
    for (const Matrix& b : {B, of_b})
      for (const Activation activation : {Activation::none, Activation::tanh})
        expect_rounded(
            [&](const Numbers& left, const Numbers& right) {
              Numbers c(static_cast<size_t>(m * n));
              Matmul(a, b, C, {.bias = true, .activation = activation})(left.data(), right.data(),
                                                                        c.data(), offset.data());
              return c;
            },
            drawn(m * (k + 3)), drawn(k * n));
}

TEST_F(Products, OfStacksOfHeads) {  // as attention splits [batch, t, d]
  const int64_t batch = 3, heads = 2, t = 70, size = 80, d = heads * size;
  const Matrix Q{t, size, d, 1, batch, t * d, heads, size};
  const Matrix S{t, t, t, 1, batch, heads * t * t, heads, t * t};
  expect_rounded(
      [&](const Numbers& q, const Numbers& k) {
        Numbers s(static_cast<size_t>(batch * heads * t * t));
        Matmul(Q, Q.t(), S, {.scale = 0.3F})(q.data(), k.data(), s.data());
        return s;
      },
      drawn(batch * t * d), drawn(batch * t * d));
}

TEST_F(Products, StayF32WhereRoundingWouldNotPay) {
  const Matrix a = Matrix::plain(4, 300), b = Matrix::plain(300, 300), c = Matrix::plain(4, 300);
  const Numbers left = drawn(4 * 300), right = drawn(300 * 300);
  Numbers f32(4 * 300), half(4 * 300);
  Matmul(a, b, c)(left.data(), right.data(), f32.data());
  const PrecisionScope scope(Precision::bf16);
  Matmul(a, b, c)(left.data(), right.data(), half.data());
  EXPECT_EQ(f32, half);
}

TEST_F(Products, OfImages) {
  for (const int64_t groups : {1, 2}) {
    const ConvolutionShape s{.batch = 2,
                             .in = 32,
                             .out = 48,
                             .x_size = {10, 9},
                             .y_size = {5, 9},
                             .kernel = {3, 3},
                             .stride = {2, 1},
                             .padding = {1, 1},
                             .groups = groups};
    const Numbers x = drawn(2 * 10 * 9 * 32), y = drawn(2 * 5 * 9 * 48);
    const Numbers w = drawn(48 * 32 / groups * 9), offset = drawn(48);
    using Of = Convolution::Of;
    expect_rounded(
        [&](const Numbers& image, const Numbers& weight) {
          Numbers to(y.size());
          Convolution(Of::y, s, {.bias = true, .activation = Activation::relu})
              .to_y(image.data(), weight.data(), to.data(), offset.data());
          return to;
        },
        x, w);
    expect_rounded(
        [&](const Numbers& image, const Numbers& weight) {
          Numbers to(x.size());
          Convolution(Of::x, s).to_x(to.data(), weight.data(), image.data());
          return to;
        },
        y, w);
    expect_rounded(
        [&](const Numbers& from, const Numbers& image) {
          Numbers to(w.size()), bias(48);
          Convolution(Of::w, s, {.bias = true})
              .to_w(from.data(), to.data(), image.data(), bias.data());
          to.insert(to.end(), bias.begin(), bias.end());
          return to;
        },
        x, y);
  }
}

}  // namespace
}  // namespace weft::tests

// The functions of simd.h against those of C, over what they promise.
#include "framework/node/simd.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace weft {
namespace {

constexpr float infinite = std::numeric_limits<float>::infinity();

TEST(Simd, SineAndCosineAreNearThoseOfC) {
  for (double x = -30; x < 30; x += 0.00137)
    for (const double far : {1.0, 1e3, 3e6}) {
      const auto f = static_cast<float>(x * far);
      ASSERT_NEAR(simd::sin(f), std::sin(static_cast<double>(f)), 1e-7) << f;
      ASSERT_NEAR(simd::cos(f), std::cos(static_cast<double>(f)), 1e-7) << f;
    }
}

TEST(Simd, SineIsBoundedWhereverItIsTaken) {
  for (const float x : {1e9F, -1e20F, 3e38F}) ASSERT_LE(std::abs(simd::sin(x)), 1) << x;
  EXPECT_TRUE(std::isnan(simd::sin(infinite)));
  EXPECT_TRUE(std::isnan(simd::cos(std::nanf(""))));
}

TEST(Simd, PowersAreNearThoseOfC) {
  for (double ln = -100; ln < 88; ln += 0.37)
    for (double e = -40; e < 40; e += 0.11) {
      const auto x = static_cast<float>(std::exp(ln)), by = static_cast<float>(e);
      const double expected = std::pow(static_cast<double>(x), static_cast<double>(by));
      if (expected > 3.4e38) {
        ASSERT_EQ(simd::pow(x, by), infinite) << x << " to the " << by;
      } else {
        ASSERT_NEAR(simd::pow(x, by), expected, 2e-7 * expected + 2e-45) << x << " to the " << by;
      }
    }
}

TEST(Simd, PowersOfWhatHasNoLogarithmAreThoseOfC) {
  for (const float x : {0.0F, -1.0F, -2.5F, 1.0F, infinite, -infinite})
    for (const float e : {0.0F, 1.0F, 2.0F, 3.0F, -1.0F, -2.0F, 0.5F, -0.5F, 16777217.0F}) {
      const float expected = std::pow(x, e), given = simd::pow(x, e);
      const bool minus = x < 0 && std::isinf(x) && e == 0.5F;  // C has +∞ for √-∞, weft NaN
      if (std::isnan(expected) || minus || (x == -infinite && e == -0.5F))
        ASSERT_TRUE(std::isnan(given)) << x << " to the " << e << " is " << given;
      else
        ASSERT_FLOAT_EQ(given, expected) << x << " to the " << e;
    }
  EXPECT_TRUE(std::isnan(simd::pow(std::nanf(""), 2)));
  EXPECT_TRUE(std::isnan(simd::pow(2, std::nanf(""))));
}

}  // namespace
}  // namespace weft

#include <cmath>
#include <limits>

#include "nodes/math/pointwise.h"

namespace weft {
namespace {

constexpr float infinite = std::numeric_limits<float>::infinity();

float log_of(float x) {  // of any x
  const bool tiny = x < std::numeric_limits<float>::min();
  const float y = simd::log(tiny ? x * 16777216.0F : x) - (tiny ? 16.6355323F : 0.0F);  // 24 ln 2
  const float edge = x == 0 ? -infinite : infinite - infinite;
  return x <= 0 ? edge : x == infinite ? x : y;
}

struct ExpMaths {
  static constexpr From from = From::y;
  static float y(float x, float) { return simd::exp(x); }
  static float dy(float, float y, float) { return y; }
  static float ddy(float, float y, float) { return y; }
};
struct LogMaths {
  static constexpr From from = From::x;
  static float y(float x, float) { return log_of(x); }
  static float dy(float x, float, float) { return 1 / x; }
  static float ddy(float x, float, float) { return -1 / (x * x); }
};
struct SqrtMaths {
  static constexpr From from = From::y;
  static float y(float x, float) { return std::sqrt(x); }
  static float dy(float, float y, float) { return 0.5F / y; }
  static float ddy(float, float y, float) { return -0.25F / (y * y * y); }
};
struct RsqrtMaths {
  static constexpr From from = From::y;
  static float y(float x, float) { return 1 / std::sqrt(x); }
  static float dy(float, float y, float) { return -0.5F * y * y * y; }
  static float ddy(float, float y, float) { return 0.75F * y * y * y * y * y; }
};
struct SquareMaths {
  static constexpr From from = From::x;
  static float y(float x, float) { return x * x; }
  static float dy(float x, float, float) { return 2 * x; }
  static float ddy(float, float, float) { return 2; }
};
float sign_of(float x) {
  return static_cast<float>(x > 0) - static_cast<float>(x < 0);
}
struct AbsMaths {
  static constexpr From from = From::x;
  static float y(float x, float) { return std::fabs(x); }
  static float dy(float x, float, float) { return sign_of(x); }
  static float ddy(float, float, float) { return 0; }
};
struct NegativeMaths {
  static constexpr From from = From::neither;
  static float y(float x, float) { return -x; }
  static float dy(float, float, float) { return -1; }
  static float ddy(float, float, float) { return 0; }
};
struct SinMaths {
  static constexpr From from = From::x;
  static float y(float x, float) { return simd::sin(x); }
  static float dy(float x, float, float) { return simd::cos(x); }
  static float ddy(float x, float, float) { return -simd::sin(x); }
};
struct CosMaths {
  static constexpr From from = From::x;
  static float y(float x, float) { return simd::cos(x); }
  static float dy(float x, float, float) { return -simd::sin(x); }
  static float ddy(float x, float, float) { return -simd::cos(x); }
};
struct ReciprocalMaths {
  static constexpr From from = From::y;
  static float y(float x, float) { return 1 / x; }
  static float dy(float, float y, float) { return -y * y; }
  static float ddy(float, float y, float) { return 2 * y * y * y; }
};
struct PowerMaths {
  static constexpr From from = From::x;
  static float y(float x, float e) { return simd::pow(x, e); }
  static float dy(float x, float, float e) {
    return e * simd::pow(x, e == 0 ? 0 : e - 1);  // 0 everywhere if e is
  }
  static float ddy(float x, float, float e) {
    return e * (e - 1) * simd::pow(x, e == 0 || e == 1 ? 0 : e - 2);
  }
};
struct Bounds {
  float least, most;
};
struct ClampMaths {
  static constexpr From from = From::x;
  static float y(float x, Bounds to) { return x < to.least ? to.least : x > to.most ? to.most : x; }
  static float dy(float x, float, Bounds to) { return x >= to.least && x <= to.most ? 1 : 0; }
  static float ddy(float, float, Bounds) { return 0; }
};

using Exp = Pointwise<ExpMaths>;
using Log = Pointwise<LogMaths>;
using Sqrt = Pointwise<SqrtMaths>;
using Rsqrt = Pointwise<RsqrtMaths>;
using Square = Pointwise<SquareMaths>;
using Abs = Pointwise<AbsMaths>;
using Negative = Pointwise<NegativeMaths>;
using Sin = Pointwise<SinMaths>;
using Cos = Pointwise<CosMaths>;
using Reciprocal = Pointwise<ReciprocalMaths>;

class Power final : public Pointwise<PowerMaths> {
  Param<double> exponent{this, "exponent", "The same for all; `pow` has one for each.", required,
                         scheduled()};
  float extra() const override { return static_cast<float>(*exponent); }
};

class Clamp final : public Pointwise<ClampMaths, Bounds> {
  Param<double> least{this, "least", "What lies below becomes this.", -1e38, scheduled()};
  Param<double> most{this, "most", "What lies above becomes this.", 1e38, scheduled()};

  void infer() override {
    if (least.most() > most.least())
      throw Error("`least` is " + std::to_string(least.most()) + ", but `most` is " +
                  std::to_string(most.least()) + ": `least` must not be greater");
    Pointwise::infer();
  }
  Bounds extra() const override { return {static_cast<float>(*least), static_cast<float>(*most)}; }
};

struct ScaleMaths {
  struct Line {
    float by, plus;
  };
  static constexpr From from = From::neither;
  static float y(float x, Line a) { return a.by * x + a.plus; }
  static float dy(float, float, Line a) { return a.by; }
  static float ddy(float, float, Line) { return 0; }
};

class Scale final : public Pointwise<ScaleMaths, ScaleMaths::Line> {
  Param<double> by{this, "by", "The factor.", required, scheduled()};
  Param<double> plus{this, "plus", "Added after it.", 0, scheduled()};
  ScaleMaths::Line extra() const override {
    return {static_cast<float>(*by), static_cast<float>(*plus)};
  }
};

struct SignMaths {
  static float y(float x, float) { return x == x ? sign_of(x) : x; }
};
struct FloorMaths {
  static float y(float x, float) { return std::floor(x); }
};
struct RoundMaths {
  static float y(float x, float) { return std::nearbyint(x); }
};

// Steps, whose derivative is 0 wherever there is one.
template <class Maths>
class Stepwise final : public Node {
  In x{this, "x", "Any shape; no gradient flows back.", {.grad = false}};
  Out y{this, "y", "Shaped as `x`."};

  void infer() override { y.shape(x.shape()); }
  void forward(const Step&) override { apply<Maths>(x.data(), y.data(), x.size(), 0.0F); }
};

using Sign = Stepwise<SignMaths>;
using Floor = Stepwise<FloorMaths>;
using Round = Stepwise<RoundMaths>;

WEFT_NODE(Exp, "exp", "e^x, of which e^88 is the greatest.", "{x: [4, 3, 5]}")
WEFT_NODE(Log, "log", "The natural logarithm: -∞ of 0, NaN below.",
          "{x: {shape: [4, 3, 5], above: 0.2}}")
WEFT_NODE(Sqrt, "sqrt", "The square root; its slope at 0 is ∞.",
          "{x: {shape: [4, 3, 5], above: 0.2}}")
WEFT_NODE(Rsqrt, "rsqrt", "1 / √x.", "{x: {shape: [4, 3, 5], above: 0.2}}")
WEFT_NODE(Square, "square", "x².", "{x: [4, 3, 5]}")
WEFT_NODE(Abs, "abs", "|x|, with the slope 0 at 0.", "{x: [4, 3, 5]}")
WEFT_NODE(Negative, "negative", "-x.", "{x: [4, 3, 5]}")
WEFT_NODE(Sin, "sin", "The sine of x in radians, |x| < 1e8.", "{x: [4, 3, 5]}")
WEFT_NODE(Cos, "cos", "The cosine of x in radians, |x| < 1e8.", "{x: [4, 3, 5]}")
WEFT_NODE(Reciprocal, "reciprocal", "1 / x.", "{x: {shape: [4, 3, 5], above: 0.2}}")
WEFT_NODE(Power, "power", "x to a fixed power; NaN where x < 0 and the exponent is not whole.",
          "{x: {shape: [4, 3, 5], above: 0.2}, exponent: -1.5}")
WEFT_NODE(Clamp, "clamp", "x within two bounds, at which its slope is still 1.",
          "{x: [4, 3, 5], least: -0.5, most: 0.25}")
WEFT_NODE(Scale, "scale", "x times a number, plus a number.", "{x: [4, 3], by: -0.5, plus: 2}")
WEFT_NODE(Sign, "sign", "1 above 0, -1 below, 0 at 0.", "{x: [4, 3, 5]}")
WEFT_NODE(Floor, "floor", "The greatest whole number that is not above x.", "{x: [4, 3, 5]}")
WEFT_NODE(Round, "round", "The nearest whole number; of two the even one.", "{x: [4, 3, 5]}")

}  // namespace
}  // namespace weft

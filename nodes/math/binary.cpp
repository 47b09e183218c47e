#include <limits>

#include "framework/node/plugin.h"
#include "nodes/math/broadcast.h"

namespace weft {
namespace {

// The functions of two numbers: of(a, b), and the gradients of a and b from g, that of the result.
// `reads` says that these depend on a or b.
struct AddMaths {
  static constexpr bool reads = false;
  static float of(float a, float b) { return a + b; }
  static float da(float g, float, float) { return g; }
  static float db(float g, float, float) { return g; }
};
struct SubtractMaths {
  static constexpr bool reads = false;
  static float of(float a, float b) { return a - b; }
  static float da(float g, float, float) { return g; }
  static float db(float g, float, float) { return -g; }
};
struct MultiplyMaths {
  static constexpr bool reads = true;
  static float of(float a, float b) { return a * b; }
  static float da(float g, float, float b) { return g * b; }
  static float db(float g, float a, float) { return g * a; }
};
struct DivideMaths {
  static constexpr bool reads = true;
  static float of(float a, float b) { return a / b; }
  static float da(float g, float, float b) { return g / b; }
  static float db(float g, float a, float b) { return -g * (a / b) / b; }
};
struct MinimumMaths {  // NaN stays NaN
  static constexpr bool reads = true;
  static float of(float a, float b) { return a < b || a != a ? a : b; }
  static float da(float g, float a, float b) { return a < b ? g : a == b ? 0.5F * g : 0; }
  static float db(float g, float a, float b) { return da(g, b, a); }
};
struct MaximumMaths {
  static constexpr bool reads = true;
  static float of(float a, float b) { return a > b || a != a ? a : b; }
  static float da(float g, float a, float b) { return a > b ? g : a == b ? 0.5F * g : 0; }
  static float db(float g, float a, float b) { return da(g, b, a); }
};
struct PowMaths {
  static constexpr bool reads = true;
  static float of(float a, float b) { return simd::pow(a, b); }
  static float da(float g, float a, float b) { return b == 0 ? 0 : g * b * simd::pow(a, b - 1); }
  static float db(float g, float a, float b) {
    constexpr float infinite = std::numeric_limits<float>::infinity();
    const float at_0 = b >= 0 ? 0 : -infinite, limit = a == 0 ? at_0 : infinite - infinite;
    return g * (a > 0 ? simd::pow(a, b) * simd::log(a) : limit);
  }
};

struct GreaterMaths {
  static float of(float a, float b) { return a > b ? 1 : 0; }
};
struct GreaterEqualMaths {
  static float of(float a, float b) { return a >= b ? 1 : 0; }
};
struct LessMaths {
  static float of(float a, float b) { return a < b ? 1 : 0; }
};
struct LessEqualMaths {
  static float of(float a, float b) { return a <= b ? 1 : 0; }
};
struct EqualMaths {
  static float of(float a, float b) { return a == b ? 1 : 0; }
};
struct NotEqualMaths {
  static float of(float a, float b) { return a != b ? 1 : 0; }
};

template <class Maths>
class Broadcasting : public Node {
 protected:
  In a, b;
  Out y{
      this, "y",
      "The shape of both: they are aligned at the end, and an axis that is missing or of extent 1 "
      "is repeated. [batch] is one number for each sample."};

  explicit Broadcasting(PortTraits traits)
      : a(this, "a", "[batch, ...]", traits),
        b(this, "b", "[batch, ...]; broadcast with `a`, as NumPy has it.", traits) {}

  void infer() override {
    y.shape(broadcast({&a, &b}));
    y.forward_only();
  }
  void prepare(Pass pass) override {
    if (pass == Pass::forward) both_ = {y.shape(), {a.shape(), b.shape()}};
  }

 private:
  void forward(const Step&) override { both_.template map<Maths>({a.data(), b.data()}, y.data()); }

  Broadcast<2> both_;
};

template <class Maths>
class Comparison final : public Broadcasting<Maths> {
 public:
  Comparison() : Broadcasting<Maths>({.grad = false}) {}
};

template <class Maths>
struct GradA {
  static float of(float g, float a, float b) { return Maths::da(g, a, b); }
};
template <class Maths>
struct GradB {
  static float of(float g, float a, float b) { return Maths::db(g, a, b); }
};

template <class Maths>
class Binary final : public Broadcasting<Maths> {
  using Base = Broadcasting<Maths>;
  using Base::a, Base::b, Base::y;
  Broadcast<3, 1> grads_;

 public:
  Binary() : Base({}) {}

 private:
  void infer() override {
    Base::infer();
    if (!Maths::reads) a.forward_only(), b.forward_only();
  }
  void prepare(Pass pass) override {
    Base::prepare(pass);
    if (pass == Pass::backward) grads_ = {y.shape(), {y.shape(), a.shape(), b.shape()}};
  }
  void backward(const Step&) override {
    const std::array<const float*, 3> from{y.grad(), a.data(), b.data()};
    if (a.wants_grad()) grads_.template sum<GradA<Maths>, 1>(from, a.grad());
    if (b.wants_grad()) grads_.template sum<GradB<Maths>, 2>(from, b.grad());
  }
};

using Add = Binary<AddMaths>;
using Subtract = Binary<SubtractMaths>;
using Multiply = Binary<MultiplyMaths>;
using Divide = Binary<DivideMaths>;
using Minimum = Binary<MinimumMaths>;
using Maximum = Binary<MaximumMaths>;
using Pow = Binary<PowMaths>;
using Greater = Comparison<GreaterMaths>;
using GreaterEqual = Comparison<GreaterEqualMaths>;
using Less = Comparison<LessMaths>;
using LessEqual = Comparison<LessEqualMaths>;
using Equal = Comparison<EqualMaths>;
using NotEqual = Comparison<NotEqualMaths>;

struct Choice {
  static float of(float c, float a, float b) { return c != 0 ? a : b; }
};
struct IfChosen {
  static float of(float g, float c, float) { return c != 0 ? g : 0; }
};
struct IfNot {
  static float of(float g, float c, float) { return c != 0 ? 0 : g; }
};

class Where final : public Node {
  In condition{
      this, "condition", "[batch, ...], such as a comparison's: 0 is no.", {.grad = false}};
  In a{this, "a", "[batch, ...]"};
  In b{this, "b", "[batch, ...]; the three are broadcast, as NumPy has it."};
  Out y{this, "y", "`a` where `condition` is not 0, `b` elsewhere."};
  Broadcast<3> all_;
  Broadcast<3, 1> grad_a_, grad_b_;

  void infer() override {
    y.shape(broadcast({&condition, &a, &b}));
    a.forward_only(), b.forward_only(), y.forward_only();
  }
  void prepare(Pass pass) override {
    const Shape& whole = y.shape();
    if (pass == Pass::forward) all_ = {whole, {condition.shape(), a.shape(), b.shape()}};
    if (pass != Pass::backward) return;
    grad_a_ = {whole, {whole, condition.shape(), a.shape()}};
    grad_b_ = {whole, {whole, condition.shape(), b.shape()}};
  }
  void forward(const Step&) override {
    all_.map<Choice>({condition.data(), a.data(), b.data()}, y.data());
  }
  void backward(const Step&) override {
    if (a.wants_grad()) grad_a_.sum<IfChosen, 2>({y.grad(), condition.data(), a.data()}, a.grad());
    if (b.wants_grad()) grad_b_.sum<IfNot, 2>({y.grad(), condition.data(), b.data()}, b.grad());
  }
};

WEFT_NODE(Add, "add", "a + b.", "{a: [4, 3, 1, 5], b: [4, 2, 1]}")
WEFT_NODE(Subtract, "subtract", "a - b.", "{a: [4], b: [4, 3, 2]}")
WEFT_NODE(Multiply, "multiply", "a · b, element by element.", "{a: [4, 5, 3], b: [4, 3]}")
WEFT_NODE(Divide, "divide", "a / b.", "{a: [4, 3, 5], b: {shape: [4, 3, 1], above: 0.2}}")
WEFT_NODE(Minimum, "minimum", "The smaller of a and b; equals share the gradient.",
          "{a: [4, 3], b: [4, 3]}")
WEFT_NODE(Maximum, "maximum", "The greater of a and b; equals share the gradient.",
          "{a: [4, 1, 3], b: [4, 5, 1]}")
WEFT_NODE(Pow, "pow", "a to the power b; NaN where a < 0 and b is not whole.",
          "{a: {shape: [4, 3], above: 0.2}, b: [4, 2, 1, 3]}")
WEFT_NODE(Greater, "greater", "1 where a > b, else 0.", "{a: [4, 3, 5], b: [4, 5]}")
WEFT_NODE(GreaterEqual, "greater_equal", "1 where a ≥ b, else 0.", "{a: [4, 3, 5], b: [4]}")
WEFT_NODE(Less, "less", "1 where a < b, else 0.", "{a: [4, 3, 5], b: [4, 3, 5]}")
WEFT_NODE(LessEqual, "less_equal", "1 where a ≤ b, else 0.", "{a: [4, 3, 1], b: [4, 1, 5]}")
WEFT_NODE(Equal, "equal", "1 where a = b, else 0.", "{a: [4, 3, 5], b: [4, 5]}")
WEFT_NODE(NotEqual, "not_equal", "1 where a ≠ b, else 0.", "{a: [4, 3, 5], b: [4, 5]}")
WEFT_NODE(Where, "where", "Takes each element from a or from b, by a condition.",
          "{condition: [4, 3, 1], a: [4], b: [4, 2, 1, 5]}")

}  // namespace
}  // namespace weft

#include <limits>

#include "framework/node/loops.h"
#include "framework/node/plugin.h"
#include "nodes/math/broadcast.h"

namespace weft {
namespace {

// The functions of two numbers: of(a, b), and the gradients of a and b from g, that of the result.
// `reads` says that these depend on a or b. Second derivatives, times g, are daa, dab and dbb; what
// has none, where the gradients depend on a or b, is linear on both sides of a step.
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
  static float daa(float, float, float) { return 0; }
  static float dab(float g, float, float) { return g; }
  static float dbb(float, float, float) { return 0; }
};
struct DivideMaths {
  static constexpr bool reads = true;
  static float of(float a, float b) { return a / b; }
  static float da(float g, float, float b) { return g / b; }
  static float db(float g, float a, float b) { return -g * (a / b) / b; }
  static float daa(float, float, float) { return 0; }
  static float dab(float g, float, float b) { return -g / b / b; }
  static float dbb(float g, float a, float b) { return 2 * g * (a / b) / b / b; }
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
  static float daa(float g, float a, float b) {
    return b == 0 || b == 1 ? 0 : g * b * (b - 1) * simd::pow(a, b - 2);
  }
  static float dab(float g, float a, float b) {
    return g * simd::pow(a, b - 1) * (1 + b * simd::log(a));
  }
  static float dbb(float g, float a, float b) {
    return g * simd::pow(a, b) * simd::log(a) * simd::log(a);
  }
};

struct GreaterMaths {
  static float of(auto a, auto b) { return a > b ? 1 : 0; }
};
struct GreaterEqualMaths {
  static float of(auto a, auto b) { return a >= b ? 1 : 0; }
};
struct LessMaths {
  static float of(auto a, auto b) { return a < b ? 1 : 0; }
};
struct LessEqualMaths {
  static float of(auto a, auto b) { return a <= b ? 1 : 0; }
};
struct EqualMaths {
  static float of(auto a, auto b) { return a == b ? 1 : 0; }
};
struct NotEqualMaths {
  static float of(auto a, auto b) { return a != b ? 1 : 0; }
};

void refuse_mixed(const In& a, const In& b) {
  if (a.dtype() != b.dtype())
    throw Error("`a` is " + std::string(name(a.dtype())) + " and `b` is " + name(b.dtype()) +
                ": `to_float` makes f32 of i32");
}

template <class Maths>
class Broadcasting : public Node {
 protected:
  In a, b;
  Out y{
      this, "y",
      "The shape of both: they are aligned at the end, and an axis that is missing or of extent 1 "
      "is repeated. [batch] is one number for each sample."};

  Broadcasting(PortTraits of_a, PortTraits of_b,
               const char* b_doc = "[batch, ...]; broadcast with `a`, as NumPy has it.")
      : a(this, "a", "[batch, ...]", of_a), b(this, "b", b_doc, of_b) {}

  void infer() override {
    y.shape(broadcast({&a, &b}));
    y.forward_only();
  }
  void prepare(Pass pass) override {
    if (pass == Pass::forward) both_ = {y.shape(), {a.shape(), b.shape()}};
  }

  void forward(const Step&) override {
    both_.template map<Maths>(std::array{a.data(), b.data()}, y.data());
  }

  Broadcast<2> both_;
};

template <class Maths, class T>
WEFT_SIMD void compare(const T* __restrict a, T with, const Out& to) {
  float* const __restrict y = to.data();
  for (int64_t i = 0, n = to.size(); i < n; ++i) y[i] = Maths::of(a[i], with);
}

template <class Maths>
class Comparison final : public Broadcasting<Maths> {
  using Base = Broadcasting<Maths>;
  using Base::a, Base::b, Base::y, Base::both_;
  Param<double> value{this, "value", "What all of `a` is compared with, without `b`.", 0};

 public:
  Comparison()
      : Base({.any = true, .grad = false, .shared = true},
             {.any = true, .grad = false, .optional = true, .shared = true},
             "[batch, ...]; broadcast with `a`, as NumPy has it. If it is not wired, `value`.") {}

 private:
  void infer() override {
    if (b.wired()) {
      Base::infer();
      return refuse_mixed(a, b);
    }
    if (a.dtype() == DType::i32 && !is_i32(*value))
      throw Error("`a` has numbers of i32, but `value` is " + std::to_string(*value));
    y.shape(a.shape());
  }
  void prepare(Pass pass) override {
    if (b.wired()) Base::prepare(pass);
  }
  void forward(const Step& step) override {
    const bool floats = a.dtype() == DType::f32;
    if (!b.wired() && floats) return compare<Maths>(a.data(), static_cast<float>(*value), y);
    if (!b.wired()) return compare<Maths>(a.ints(), static_cast<int32_t>(*value), y);
    if (floats) return Base::forward(step);
    both_.template map<Maths>(std::array{a.ints(), b.ints()}, y.data());
  }
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
struct GradAA {
  static float of(float g, float a, float b) { return Maths::daa(g, a, b); }
};
template <class Maths>
struct GradAB {
  static float of(float g, float a, float b) { return Maths::dab(g, a, b); }
};
template <class Maths>
struct GradBB {
  static float of(float g, float a, float b) { return Maths::dbb(g, a, b); }
};
struct OfA {
  static float of(float a, float) { return a; }
};
struct OfB {
  static float of(float, float b) { return b; }
};

template <class Maths>
class Binary final : public Broadcasting<Maths> {
  using Base = Broadcasting<Maths>;
  using Base::a, Base::b, Base::y;
  using Base::both_;
  static constexpr bool bends = requires { Maths::dab(0.0F, 0.0F, 0.0F); };
  Broadcast<3, 1> grads_;
  std::vector<float> along_a_, along_b_, more_;  // in backward_twice(), [elements of y]

 public:
  Binary() : Base({.shared = true}, {.shared = true}) {}

 private:
  Twice twice() const override { return Maths::reads ? Twice::yes : Twice::linear; }
  void infer() override {
    Base::infer();
    if (!Maths::reads) a.forward_only(), b.forward_only();
  }
  void prepare(Pass pass) override {
    Base::prepare(pass);
    if (pass == Pass::backward_twice) {
      Base::prepare(Pass::forward);
      for (auto* own : {&along_a_, &along_b_, &more_}) own->resize(static_cast<size_t>(y.size()));
    }
    if (pass != Pass::forward) grads_ = {y.shape(), {y.shape(), a.shape(), b.shape()}};
  }
  void backward(const Step&) override {
    const std::array<const float*, 3> from{y.grad(), a.data(), b.data()};
    if (a.wants_grad()) grads_.template sum<GradA<Maths>, 1>(from, a.grad());
    if (b.wants_grad()) grads_.template sum<GradB<Maths>, 2>(from, b.grad());
  }
  void backward_twice(const Step&) override {
    const std::array<const float*, 2> along{a.tangent(), b.tangent()};
    both_.template map<OfA>(along, along_a_.data());
    both_.template map<OfB>(along, along_b_.data());
    grads_.template map<GradA<Maths>>(with(along_a_), y.tangent());
    grads_.template map<GradB<Maths>>(with(along_b_), more_.data());
    add_scaled(more_.data(), 1, y.tangent(), y.size());
    multiply(along_a_.data(), y.grad(), more_.data(), y.size()), along_a_.swap(more_);
    multiply(along_b_.data(), y.grad(), more_.data(), y.size()), along_b_.swap(more_);
    if (a.wants_grad()) bend<GradAA<Maths>, GradAB<Maths>, 1>(a);
    if (b.wants_grad()) bend<GradAB<Maths>, GradBB<Maths>, 2>(b);
  }
  std::array<const float*, 3> with(const std::vector<float>& whole) const {
    return {whole.data(), a.data(), b.data()};
  }
  // The gradient of an input, operand K, from its second derivatives with a and with b.
  template <class WithA, class WithB, size_t K>
  void bend(const In& in) {
    if constexpr (bends) {
      grads_.template sum<WithA, K>(with(along_a_), in.grad());
      grads_.template sum<WithB, K>(with(along_b_), more_.data());
      add_scaled(more_.data(), 1, in.grad(), in.size());
    } else {
      std::fill_n(in.grad(), in.size(), 0.0F);
    }
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
  In condition{this,
               "condition",
               "[batch, ...], such as a comparison's: 0 is no.",
               {.grad = false, .shared = true}};
  In a{this, "a", "[batch, ...]", {.any = true, .shared = true}};
  In b{this,
       "b",
       "[batch, ...]; the three are broadcast, as NumPy has it.",
       {.any = true, .shared = true}};
  Out y{this, "y", "`a` where `condition` is not 0, `b` elsewhere.", a};
  Broadcast<3> all_;
  Broadcast<3, 1> grad_a_, grad_b_;

  Twice twice() const override { return Twice::linear; }
  void infer() override {
    y.shape(broadcast({&condition, &a, &b}));
    refuse_mixed(a, b);
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
    all_.map<Choice>(std::array{condition.data(), a.words(), b.words()}, y.words());
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

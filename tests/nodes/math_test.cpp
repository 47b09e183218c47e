// What the nodes of arithmetic refuse, and what they make of numbers at the edge.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "framework/trial/node_rig.h"
#include "tests/support/kinds.h"

namespace weft::tests {
namespace {

using namespace trial;

using testing::ElementsAre;
using testing::IsNan;

struct Mistake {
  std::string kind;
  const char* example;
  std::string sentence;
};
std::ostream& operator<<(std::ostream& out, const Mistake& mistake) {
  return out << mistake.kind << " " << mistake.example;
}

class MathMistakes : public testing::TestWithParam<Mistake> {};

TEST_P(MathMistakes, AreToldInASentence) {
  NodeKind kind = *find_kind(GetParam().kind);
  kind.example = GetParam().example;
  try {
    (void)make_node(kind, example(kind));
    FAIL() << "it is accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.sentence(), GetParam().sentence);
  }
}

const Mistake mistakes[] = {
    {"add", "{a: [4, 3], b: [4, 2]}",
     "`a` is [4, 3], `b` is [4, 2], but they must have one batch, and from the last axis on the "
     "same extents or 1"},
    {"less", "{a: [4, 3], b: [2, 3]}",
     "`a` is [4, 3], `b` is [2, 3], but they must have one batch, and from the last axis on the "
     "same extents or 1"},
    {"where", "{condition: [4], a: [4, 3, 1], b: [4, 5, 3, 2, 7]}",
     "`condition` is [4], `a` is [4, 3, 1], `b` is [4, 5, 3, 2, 7], but they must have one batch, "
     "and from the last axis on the same extents or 1"},
    {"clamp", "{x: [4], least: 1, most: 0}",
     "`least` is 1.000000, but `most` is 0.000000: `least` must not be greater"},
    {"sum", "{x: [4, 3], axes: 0}", "`x` is [4, 3], which has no axis 0 beside the batch"},
    {"mean", "{x: [4, 3], axes: -2}", "`x` is [4, 3], which has no axis -2 beside the batch"},
    {"max", "{x: [4, 3, 2], axes: [2, -1]}", "axis -1 is named twice"},
    {"min", "{x: [4, 0]}", "`x` is [4, 0]: there is nothing in it"},
    {"variance", "{x: [4, 1], unbiased: true}",
     "`x` is [4, 1], in which an `unbiased` variance of 1 number has no meaning"},
    {"matmul", "{a: [4, 3, 5], b: [4, 3, 5]}",
     "`a` is [4, 3, 5] and `b` is [4, 3, 5], but must be [batch, ..., n, k] and [batch, ..., k, "
     "m], with axes before the matrices that are alike or 1"},
    {"matmul", "{a: [4, 2, 3, 5], b: [4, 3, 5, 2]}",
     "`a` is [4, 2, 3, 5] and `b` is [4, 3, 5, 2], but must be [batch, ..., n, k] and [batch, ..., "
     "k, m], with axes before the matrices that are alike or 1"},
    {"matmul", "{a: [4, 3], b: [4, 3], transpose_b: true}",
     "`a` is [4, 3] and `b` is [4, 3], but must be [batch, ..., n, k] and [batch, ..., m, k], with "
     "axes "
     "before the matrices that are alike or 1"},
    {"similarity", "{a: [4, 3], b: [4, 2]}",
     "`a` is [4, 3] and `b` is [4, 2], but both must be [batch, d]"},
    {"transpose", "{x: [4, 3, 2], axes: 1}", "`x` is [4, 3, 2], so `axes` must name 2, not 1"},
    {"image_to_patches", "{x: [4, 6, 5, 3], size: 2}",
     "`x` is [4, 6, 5, 3], but must be [batch, height, width, channels], with a height and a width "
     "that are multiples of `size`, 2"},
    {"patches_to_image", "{x: [4, 6, 12], size: 2}",
     "`x` has 6 patches, which do not fill a square: `height` must say how high the images are"},
    {"patches_to_image", "{x: [4, 6, 12], size: 2, height: 8}",
     "`x` has 6 patches, which do not fill rows of a `height` of 8 pixels"},
    {"constant", "{like: [4], value: []}", "`value` is an empty list, but must have a number"},
    {"int_constant", "{value: [1, 2], shape: 3}",
     "`value` has 2 numbers, which do not fill [3] a whole number of times"},
    {"range", "{count: 3, start: 2147483646}",
     "the last number is 2147483648, which is beyond what i32 holds"},
    {"top_k", "{x: [4, 3, 2], axis: 1, k: 4}",
     "`k` is 4, but axis 1 of `x`, [4, 3, 2], has 3 positions"},
    {"top_k", "{x: [4, 3], axis: 0, k: 2}", "`axis` is 0, the batch, but must be 1 or more, or -1"},
    {"rank", "{x: [4, 3], axis: 2}", "`x` is [4, 3], which has no axis 2 beside the batch"},
    {"gaussian_kl", "{mean: [4, 3], log_var: [4, 3], prior_mean: [4, 2, 3]}",
     "`prior_mean` is [4, 2, 3], which does not fit into `mean`, [4, 3]"},
};

INSTANTIATE_TEST_SUITE_P(Kinds, MathMistakes, testing::ValuesIn(mistakes));

// What a node makes of one row of numbers.
std::vector<float> of(const std::string& kind, const std::vector<std::vector<float>>& inputs,
                      const std::vector<std::string>& names = {"x"}) {
  NodeCase node;
  for (size_t i = 0; i < inputs.size(); ++i) {
    Array array(Shape{1, static_cast<int64_t>(inputs[i].size())});
    array.floats = inputs[i];
    node.inputs.emplace_back(names[i], array);
  }
  NodeRig rig(*find_kind(kind), node, {.mode = Mode::evaluate});
  rig.forward();
  return rig.output("y").floats;
}

constexpr float infinite = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

TEST(Logarithm, IsThatOfCWhereverItIsTaken) {
  EXPECT_THAT(
      of("log", {{0, -1, infinite, 1e-42F, nan}}),
      ElementsAre(-infinite, IsNan(), infinite, testing::FloatEq(std::log(1e-42F)), IsNan()));
}

TEST(NotANumber, IsNotLost) {
  EXPECT_THAT(of("maximum", {{nan, 1}, {1, nan}}, {"a", "b"}), ElementsAre(IsNan(), IsNan()));
  EXPECT_THAT(of("minimum", {{nan, 1}, {1, nan}}, {"a", "b"}), ElementsAre(IsNan(), IsNan()));
  EXPECT_THAT(of("clamp", {{nan}}), ElementsAre(IsNan()));
  EXPECT_THAT(of("sign", {{nan}}), ElementsAre(IsNan()));
  EXPECT_THAT(of("max", {{1, nan, 2}}), ElementsAre(IsNan()));
  EXPECT_THAT(of("min", {{nan, 1, 2}}), ElementsAre(IsNan()));
  EXPECT_THAT(of("batch_max", {{nan}}), ElementsAre(IsNan()));
  EXPECT_THAT(of("sort", {{nan, 1, infinite, nan, 0}}),
              ElementsAre(0, 1, infinite, IsNan(), IsNan()));
}

// Losses of the whole batch are numbers.
TEST(Math, AddsNumbers) {
  NodeKind kind = *find_kind("add");
  kind.example = "{a: [], b: []}";
  NodeRig rig(kind, example(kind));
  rig.inputs[0].value.floats = {2}, rig.inputs[1].value.floats = {3};
  rig.forward();
  EXPECT_THAT(rig.output("y").floats, ElementsAre(5));
  rig.outputs[0].grad.floats = {7};
  rig.backward();
  EXPECT_THAT(rig.inputs[1].grad.floats, ElementsAre(7));
}

}  // namespace
}  // namespace weft::tests

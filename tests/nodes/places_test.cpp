// Labels and places that are left out, and those that do not exist.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/trial/node_rig.h"
#include "tests/support/kinds.h"

namespace weft::tests {
namespace {

using namespace trial;

using testing::Each;
using testing::HasSubstr;
using testing::IsNan;

Array ints(const Shape& shape, std::vector<int32_t> values) {
  Array array(shape, DType::i32);
  array.ints = std::move(values);
  return array;
}

Array floats(const Shape& shape, std::vector<float> values) {
  Array array(shape);
  array.floats = std::move(values);
  return array;
}

class ClassLosses : public testing::TestWithParam<std::string> {
 protected:
  NodeRig rig(const Array& logits, const Array& label, const std::string& params = "{}") {
    NodeRig rig(*find_kind(GetParam()),
                {Yaml::parse(params, "params"), {{"logits", logits}, {"label", label}}});
    rig.forward();
    for (NodeRig::Value& output : rig.outputs) fill(output.grad, 1);
    rig.backward();
    return rig;
  }
};

TEST_P(ClassLosses, LeaveOutMinusOneOnly) {
  Array logits(Shape{2, 3, 4});
  fill(logits, 1);
  const NodeRig left = rig(logits, ints({2, 3}, {-1, -1, -1, 2, -1, 0}));
  EXPECT_EQ(left.outputs[0].value.floats[0], 0);
  EXPECT_GT(left.outputs[0].value.floats[1], 0);
  const std::vector<float>& grad = left.inputs[0].grad.floats;
  EXPECT_THAT(std::vector(grad.begin(), grad.begin() + 12), Each(0.0F));
  EXPECT_THAT(std::vector(grad.begin() + 16, grad.begin() + 20), Each(0.0F));
  EXPECT_NE(grad[12], 0);
  const NodeRig unknown = rig(logits, ints({2, 3}, {-2, 0, -1, 4, 1, 2}));
  EXPECT_THAT(unknown.outputs[0].value.floats, Each(IsNan()));
}

INSTANTIATE_TEST_SUITE_P(Kinds, ClassLosses, testing::Values("cross_entropy", "focal"),
                         [](const auto& kind) { return kind.param; });

TEST(Focal, HasAGradientWhereAllIsRight) {
  for (const double gamma : {0.0, 0.5, 2.0}) {
    NodeRig rig(*find_kind("focal"),
                {Yaml::parse("{gamma: " + std::to_string(gamma) + "}", "params"),
                 {{"logits", floats({1, 2}, {60, -60})}, {"label", ints({1}, {0})}}});
    rig.forward();
    EXPECT_EQ(rig.output("y").floats[0], 0);
    fill(rig.outputs[0].grad, 1);
    rig.backward();
    EXPECT_THAT(rig.inputs[0].grad.floats, Each(0.0F)) << gamma;
  }
}

TEST(Focal, TakesAnAlphaForEachClass) {
  NodeCase node = example(*find_kind("focal"));
  node.params.put("alpha", Yaml::parse("[1, 2]", "alpha"));
  EXPECT_THROW(make_node(*find_kind("focal"), node), Error);
}

TEST(Hinge, HasASign) {
  NodeCase node = example(*find_kind("hinge"));
  node.params.put("sign", Yaml::parse("0", "sign"));
  EXPECT_THROW(make_node(*find_kind("hinge"), node), Error);
}

TEST(Gather, RefusesPlacesThatXLacks) {
  for (const int32_t place : {3, -2}) {
    Array x(Shape{1, 3, 2});
    fill(x, 1);
    NodeRig rig(*find_kind("gather"), {{}, {{"x", x}, {"places", ints({1, 1}, {place})}}});
    try {
      rig.forward();
      ADD_FAILURE() << place << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Exit::data);
      EXPECT_THAT(error.sentence(), HasSubstr("`x` has 3 positions"));
    }
  }
}

}  // namespace
}  // namespace weft::tests

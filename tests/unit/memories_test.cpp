// What nodes remember, beside what PyTorch computes of them (tests/nodes/reference).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/node/host.h"
#include "tests/support/evaluated.h"
#include "tests/support/lone_node.h"

namespace weft::tests {
namespace {

using testing::HasSubstr;
using Floats = std::vector<float>;

struct Codebook {
  explicit Codebook(const LoneNode::Params& more = {}) : node("vector_quantize", params(more)) {}
  static LoneNode::Params params(LoneNode::Params more) {
    more.insert({{"codes", int64_t{3}}, {"features", int64_t{2}}});
    return more;
  }
  void bind() {
    Host::bind(*node.node().host().states[0], {{3, 2}, DType::f32, vectors.data()});
    Host::bind(*node.node().host().states[1], {{3}, DType::f32, count.data()});
    node.node().prepare(Pass::forward);
  }
  LoneNode node;
  Floats vectors{0, 0, 10, 10, -10, 10}, count{1, 1, 1};
};

TEST(VectorQuantize, LooksUpCodes) {
  Codebook book;
  book.node.feed("look_up", {2, 2}, std::vector<int32_t>{2, 0, 1, 2}).infer();
  book.bind();
  book.node.forward(0, 2);
  EXPECT_EQ(book.node.out("y").shape(), (Shape{2, 2, 2}));
  EXPECT_EQ(book.node.floats("y"), (Floats{-10, 10, 0, 0, 10, 10, -10, 10}));
  EXPECT_EQ(book.node.ints("code"), (std::vector<int32_t>{2, 0, 1, 2}));
  EXPECT_EQ(book.node.floats("commitment"), (Floats{0, 0}));
  EXPECT_EQ(book.count, (Floats{1, 1, 1})) << "looking up moves nothing";
  book.node.feed("look_up", {2, 2}, std::vector<int32_t>{2, 0, 3, 2});
  EXPECT_THROW(book.node.forward(0, 2), Error);
}

TEST(VectorQuantize, RevivesCodesThatNobodyUses) {
  Codebook book({{"decay", 0.5}, {"revive", 0.4}, {"eps", 1e-9}});
  book.node.feed("x", {4, 2}, Floats{1, 1, 1, -1, 3, 0, 11, 9}).infer();
  book.bind();
  book.node.forward(0, 4);
  EXPECT_EQ(book.node.ints("code"), (std::vector<int32_t>{0, 0, 0, 1}));
  EXPECT_EQ(book.node.floats("commitment"), (Floats{1, 1, 4.5F, 1}));
  // Of counts 2, 1 and 1/2 with the mean 7/6 the last falls below 0.4 of it only in the next step.
  EXPECT_EQ(book.count, (Floats{2, 1, 0.5F}));
  const Floats first{1.25F, 0, 10.5F, 9.5F, -10, 10};
  for (size_t i = 0; i < first.size(); ++i) EXPECT_NEAR(book.vectors[i], first[i], 1e-5) << i;
  book.node.forward(1, 4);
  EXPECT_NEAR(book.count[2], 3.75 / 3, 1e-6) << "as many as all have on average";
  const Floats& x = {1, 1, 1, -1, 3, 0, 11, 9};
  bool one_of_the_batch = false;
  for (size_t i = 0; i < 8; i += 2)
    one_of_the_batch |= book.vectors[4] == x[i] && book.vectors[5] == x[i + 1];
  EXPECT_TRUE(one_of_the_batch);
}

TEST(VectorQuantize, TakesVectorsOrCodes) {
  const auto complaint = [](LoneNode& node) -> std::string {
    try {
      node.infer();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  Codebook neither, both, narrow;
  EXPECT_THAT(complaint(neither.node), HasSubstr("neither `x` nor `look_up` is wired"));
  both.node.feed("x", {1, 2}, Floats{1, 1}).feed("look_up", {1}, std::vector<int32_t>{0});
  EXPECT_THAT(complaint(both.node), HasSubstr("`x` and `look_up` are wired, but one must be"));
  narrow.node.feed("x", {1, 3}, Floats(3));
  EXPECT_THAT(complaint(narrow.node), HasSubstr("must be [batch, ..., 2], as `features` says"));
}

TEST(Queue, HoldsABatch) {
  LoneNode node("queue", {{"size", int64_t{3}}});
  node.feed("x", {4, 2}, Floats(8)).feed("key", {4, 2}, Floats(8));
  try {
    node.infer();
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("`size` is 3, but a batch has 4 keys"));
  }
}

TEST(Memory, HasThePlacesThatSizeSays) {
  for (const int32_t place : {3, -1}) {
    LoneNode node("memory", {{"size", int64_t{3}}});
    node.feed("at", {2}, std::vector<int32_t>{0, place}).infer();
    Floats held{1, 2, 3};
    Host::bind(*node.node().host().states[0], {{3}, DType::f32, held.data()});
    node.forward(0, 1);
    EXPECT_EQ(node.floats("y"), (Floats{1, 0})) << "the second row is no sample";
    try {
      node.forward(0, 2);
      ADD_FAILURE() << place << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Exit::data);
      EXPECT_THAT(error.what(), HasSubstr("but there are 3 places"));
    }
  }
}

TEST(History, HoldsWholeNumbersAndFillsTurnsToCome) {  // 0 - 2, + 0 + 1 - 1, + 0 + 1 + 2
  const std::string nodes = R"(fragments:
  count:
    inputs: [x, turn]
    nodes:
      at:   {node: to_int, x: turn}
      wide: {node: reshape, x: at, shape: [1]}
      all:  {node: history, x: wide, fill: -1}
      each: {node: to_float, x: all.y}
      sum:  {node: sum, x: each}
      y:    {node: add, a: x, b: sum}
    outputs: {x: y}
evaluate:
  nodes:
    x: {node: normal, shape: [4], outside_training: 0}
    y: {node: count, loop: {times: 3, carry: {x: x}, over: {turn: turn}}}
)";
  EXPECT_EQ(evaluated(nodes, "y")[0], -2 + 0 + 3);
}

TEST(History, RefusesAFillThatIsNoWholeNumber) {
  LoneNode node("history", {{"fill", 0.5}});
  node.feed("x", {1, 1}, std::vector<int32_t>{0});
  EXPECT_THROW(node.infer(), Error);
}

}  // namespace
}  // namespace weft::tests

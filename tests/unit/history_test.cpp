// What a loop remembers: a causal model run token by token is the model of whole sequences.
#include <gtest/gtest.h>

#include "tests/support/evaluated.h"

namespace weft::tests {
namespace {

// Two causal layers over 5 tokens: at once, and one after the other. `apart` is how far the two are
// from each other.
const std::string both = R"(vars: {features: 6}
modules:
  net:
    inputs: [x]
    optional: [at]
    nodes:
      sited: {node: positions, x: x, at: at, length: 5, deviation: 1}
      block: {node: causal_block, repeat: 2, x: sited, features: $features, heads: 2, hidden: 8}
    outputs: {y: block}
fragments:
  next:
    inputs: [said, turn, all]
    nodes:
      place:  {node: to_int, x: turn}
      places: {node: reshape, x: place, shape: [1]}
      token:  {node: gather, x: all, places: places}
      y:      {use: net, x: token, at: turn}
      more:   {node: add, a: said, b: y}      # a loop carries something
    outputs: {said: more, y: y}
evaluate:
  nodes:
    all:   {node: normal, shape: [4, 5, $features]}
    whole: {use: net, x: all}
    none:  {node: normal, shape: [4, 1, $features]}
    one:   {node: next, all: all, loop: {times: 5, carry: {said: none}, over: {turn: turn}, collect: {ys: y}}}
    flat:  {node: reshape, x: one.ys, shape: [5, $features]}
    away:  {node: subtract, a: whole, b: flat}
    far:   {node: abs, x: away}
    apart: {node: max, x: far}
)";

// The same without what the turns before said: then it is not.
std::string forgetful() {
  std::string text = both;
  const std::string causal = "causal_block";
  return text.replace(text.find(causal), causal.size(), "transformer_block");
}

TEST(History, MakesTokenByTokenTheSameAsAtOnce) {
  for (const int lanes : {1, 2, 4})
    for (const bool check : {false, true}) {
      EXPECT_LT(evaluated(both, "apart", lanes, check)[0], 1e-5) << lanes;
      EXPECT_GT(evaluated(forgetful(), "apart", lanes, check)[0], 0.01) << lanes;
    }
}

TEST(History, OfHeadsOfAnySize) {
  for (const char* features : {"32", "40", "66"}) {  // heads of 16, 20, 33
    std::string text = both;
    text.replace(text.find("features: 6"), 11, "features: " + std::string(features));
    EXPECT_LT(evaluated(text, "apart", 1)[0], 1e-5) << features;
  }
}

}  // namespace
}  // namespace weft::tests

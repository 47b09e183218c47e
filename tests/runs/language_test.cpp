// What the language says in two ways comes to the same numbers, trained.
#include "tests/support/tiny_runs.h"

namespace weft::tests {
namespace {

class Language : public TinyRuns {
 protected:
  // Trains two modules for 30 steps, `one` by what `a` is and `other` by what `b` is, and expects
  // that both come out the same, up to rounding.
  void expect_alike(const std::string& modules, const std::string& nodes) const {
    write("two", R"(weft: 1
vars: {batch: 48}
)" + modules + R"(
train:
  data: {node: idx, images: data/train-images-idx3-ubyte, batch: $batch, shuffle: true}
  nodes:
    rows: {node: reshape, x: data.image, shape: [4, 16]}
)" + nodes + R"(
    gap:  {formula: mean(abs(a - b))}
    size: {formula: mean(abs(a))}
    both: {formula: mean((a - 1) ** 2) + mean((b - 1) ** 2)}
  lanes: 3
  phases: [{minimize: both, update: [one, other], optimizer: {node: sgd, lr: 0.1}}]
  report: [gap, size]
  steps: 30
)");
    const Ended ended = train("two", "two");
    ASSERT_EQ(ended.exit, 0) << ended.err;
    const auto last = metrics("two").back();
    EXPECT_GT(last.at("size"), 0.01) << "nothing is learned";
    EXPECT_LT(last.at("gap"), 1e-5 * last.at("size").get<double>() + 1e-7);
  }
};

TEST_F(Language, AParameterAndAProductAreALinearLayer) {
  expect_alike(R"(modules:
  one:
    inputs: [x]
    nodes:
      w: {node: parameter, shape: [16, 5]}
      b: {node: parameter, shape: [5]}
      y: {formula: 'matmul(x, w) + b'}
    outputs: {y: y}
  other:
    inputs: [x]
    nodes: {y: {node: linear, x: x, features: 5, gain: 0}}
    outputs: {y: y}
)",
               R"(    a:      {use: one, x: rows}
    b:      {use: other, x: rows}
)");
}

TEST_F(Language, ATiedMatrixIsTwoUsesOfALayer) {
  expect_alike(R"(modules:
  one:
    inputs: [x]
    nodes:
      w: {node: parameter, shape: [16, 16], start: 0.01}
      h: {node: matmul, a: x, b: w}
      y: {node: matmul, a: h, b: w}
    outputs: {y: y}
  other:
    inputs: [x]
    nodes:
      w: {node: parameter, like: x, shape: [16, 16], start: 0.01}
      h: {node: matmul, a: x, b: w}
      y: {node: matmul, a: h, b: w}
    outputs: {y: y}
)",
               R"(    a:      {use: one, x: rows}
    b:      {use: other, x: rows}
)");
}

TEST_F(Language, EachItemIsASample) {
  const std::string net = R"(
    inputs: [x, told]
    nodes:
      h: {node: linear, x: x, features: 5, gain: 0}
      c: {node: reshape, x: x, shape: [4, 4, 1]}
      d: {node: conv2d, x: c, features: 2, padding: 1, gain: 0}
      f: {node: reshape, x: d, shape: [-1]}
      y: {node: concat, xs: [h, f, told]}
    outputs: {y: y}
)";
  std::string apart;
  for (int i = 0; i < 4; ++i) {
    const std::string n = std::to_string(i);
    apart += "    s" + n + ": {node: slice, x: rows, axis: 1, begin: " + n +
             ", end: " + std::to_string(i + 1) + "}\n    x" + n + ": {node: reshape, x: s" + n +
             ", shape: [16]}\n    y" + n + ": {use: other, x: x" + n + ", told: told}\n";
  }
  expect_alike("modules:\n  one:" + net + "  other:" + net,
               R"(    told:   {formula: 'mean(rows, axes=[1])'}
    a:      {use: one, x: rows, told: told, each: x}
)" + apart + R"(    flat:   {node: concat, xs: [y0, y1, y2, y3]}
    b:      {node: reshape, x: flat, shape: [4, 53]}
)");
}

TEST_F(Language, AnUnrolledLoopIsAChain) {
  const std::string net = R"(
    inputs: [h, x]
    nodes:
      both: {node: concat, xs: [h, x]}
      y:    {node: linear, x: both, features: 3, activation: tanh, gain: 0}
    outputs: {h: y}
)";
  expect_alike("modules:\n  one:" + net + "  other:" + net,
               R"(    start:  {node: constant, like: rows, value: [0, 0, 0]}
    loop:   {use: one, loop: {times: 4, carry: {h: start}, over: {x: rows}, collect: {all: h}, unroll: true}}
    a:      {node: reshape, x: loop.all, shape: [-1]}
    s0:     {node: slice, x: rows, axis: 1, begin: 0, end: 1}
    x0:     {node: reshape, x: s0, shape: [16]}
    s1:     {node: slice, x: rows, axis: 1, begin: 1, end: 2}
    x1:     {node: reshape, x: s1, shape: [16]}
    s2:     {node: slice, x: rows, axis: 1, begin: 2, end: 3}
    x2:     {node: reshape, x: s2, shape: [16]}
    s3:     {node: slice, x: rows, axis: 1, begin: 3, end: 4}
    x3:     {node: reshape, x: s3, shape: [16]}
    h0:     {use: other, h: start, x: x0}
    h1:     {use: other, h: h0, x: x1}
    h2:     {use: other, h: h1, x: x2}
    h3:     {use: other, h: h2, x: x3}
    b:      {node: concat, xs: [h0, h1, h2, h3]}
)");
}

// What a loop computes is what it does unrolled.
TEST_F(Language, ALoopAndItsTurnsApartAreAlike) {
  write("loops", R"(weft: 1
fragments:
  adds: {inputs: [h, x, t], nodes: {y: {formula: h / 2 + x * (1 + t)}}, outputs: {h: y}}
evaluate:
  data: {node: idx, images: data/t10k-images-idx3-ubyte, batch: 16}
  nodes:
    rows:  {node: reshape, x: data.image, shape: [4, 16]}
    start: {formula: 'mean(rows, axes=[1])'}
    a:     {node: adds, loop: {times: 4, carry: {h: start}, over: {x: rows, t: turn}, collect: {every: h}}}
    b:     {node: adds, loop: {times: 4, carry: {h: start}, over: {x: rows, t: turn}, collect: {every: h}, unroll: true}}
    gap:   {formula: mean(abs(a.every - b.every)) + mean(abs(a.h - b.h))}
    size:  {formula: mean(abs(a.every))}
  report: [gap, size]
)");
  const Ended ended = weft({"evaluate", "loops.yaml", "--json"});
  ASSERT_EQ(ended.exit, 0) << ended.err;
  const auto told = nlohmann::json::parse(ended.out);
  EXPECT_GT(told.at("size"), 0.1);
  EXPECT_EQ(told.at("gap"), 0) << ended.out;
}

TEST_F(Language, EvaluationChangesParamsOfSingleNodes) {
  write("changed", R"(weft: 1
modules:
  net: {inputs: [x], nodes: {y: {node: linear, x: x, features: 1}}, outputs: {y: y}}
train:
  data: {node: idx, images: data/train-images-idx3-ubyte, batch: 16}
  nodes:
    noise: {node: scale, x: data.image, by: 0, plus: 3}
    y:     {use: net, x: data.image}
    flat:  {node: reshape, x: y, shape: []}
    level: {formula: mean(noise)}
    loss:  {formula: flat ** 2 + level}
  phases: [{minimize: loss, update: net, optimizer: {node: sgd, lr: 0.1}}]
  steps: 3
  report: level
evaluate:
  nodes: {noise: {plus: 5}, twice: {formula: level * 2}}
  report: [level, twice]
)");
  const Ended ended = train("changed", "changed");
  ASSERT_EQ(ended.exit, 0) << ended.err;
  const auto last = metrics("changed").back();
  EXPECT_FLOAT_EQ(metrics("changed").front().at("level"), 3);
  EXPECT_FLOAT_EQ(last.at("evaluate").at("level"), 5);
  EXPECT_FLOAT_EQ(last.at("evaluate").at("twice"), 10);
}

TEST_F(Language, ASourceBesideTheDataDoesNotStayWithWhatIsTrainedOn) {
  const std::string text = R"(weft: 1
modules:
  net:
    inputs: [tokens]
    nodes:
      rows: {node: embedding, x: tokens, vocabulary: 40, features: 3}
      y:    {formula: mean(rows ** 2)}
    outputs: {y: y}
train:
  data: &set {node: text, file: data/train.txt, unit: lines, samples: documents, vocabulary: set, pieces: 40, kind: characters, length: 8, test_share: 0.2, split: train, batch: 8}
  nodes:
    other: *set
    a:     {use: net, tokens: data.tokens}
    b:     {use: net, tokens: other.tokens}
    loss:  {formula: a + b}
  phases: [{minimize: loss, update: net, optimizer: {node: sgd, lr: 0.1}}]
  steps: 3
evaluate: {data: {split: test}, report: loss}
)";
  write("beside", text);
  const Ended ended = weft({"check", "beside.yaml"});
  EXPECT_EQ(ended.exit, 2);
  EXPECT_THAT(ended.err, testing::HasSubstr("`other` reads `split: train` beside data of `split: "
                                            "test`: write `evaluate: {nodes: {other: {split: "
                                            "test}}}`"));
  write("both", replaced(text, "report: loss}", "nodes: {other: {split: test}}, report: loss}"));
  EXPECT_EQ(weft({"check", "both.yaml"}).exit, 0) << weft({"check", "both.yaml"}).err;
}

// The only batch is short: 40 of 48 rows hold samples.
TEST_F(Language, AGradientByWhatAllSamplesShareIsOfTheSamples) {
  write("shared", R"(weft: 1
modules:
  net:
    inputs: [x]
    nodes:
      w:     {node: parameter, shape: [64, 5], deviation: 0.2}
      h:     {node: matmul, a: x, b: w}
      score: {formula: sum(h**2)}
      slope: {gradient: score, of: w}
      mine:  {node: batch_product, a: x, b: h}
      gap:   {formula: mean(abs(slope - 2 * 40 * mine))}
      size:  {formula: mean(abs(slope))}
    outputs: {score: score, gap: gap, size: size}
train:
  data: {node: idx, images: data/train-images-idx3-ubyte, batch: 48}
  nodes: {net: {use: net, x: data.image}}
  phases: [{minimize: net.score, update: net, optimizer: {node: sgd, lr: 1e-4}}]
  steps: 3
evaluate:
  data: {images: data/t10k-images-idx3-ubyte}
  report: [net.gap, net.size]
)");
  const Ended ended = train("shared", "shared");
  ASSERT_EQ(ended.exit, 0) << ended.err;
  const auto told = metrics("shared").back().at("evaluate");
  EXPECT_GT(told.at("net.size"), 1);
  EXPECT_LT(told.at("net.gap"), 1e-4 * told.at("net.size").get<double>());
}

// Though the second phase comes after an update of what it reads.
TEST_F(Language, AMemoryIsWrittenOnceInAStep) {
  write("memory", R"(weft: 1
modules:
  net:   {inputs: [x], nodes: {y: {node: linear, x: x, features: 1, gain: 0}}, outputs: {y: y}}
  other: {inputs: [x], nodes: {y: {node: linear, x: x, features: 1, gain: 0}}, outputs: {y: y}}
  store:
    inputs: [at, x]
    nodes: {m: {node: memory, at: at, x: x, size: 1, shape: [1], start: 100}}
    outputs: {y: m}
train:
  data: {node: idx, images: data/train-images-idx3-ubyte, batch: 1}
  nodes:
    y:      {use: net, x: data.image}
    at:     {node: int_constant, like: y, value: 0}
    was:    {use: store, at: at, x: y}
    z:      {use: other, x: data.image}
    first:  {formula: mean((y - 1) ** 2)}
    second: {formula: mean((z - 1) ** 2) + 0 * mean(was)}
  phases:
    - {name: a, minimize: first, update: net, optimizer: {node: sgd, lr: 0.01}}
    - {name: b, minimize: second, update: other, optimizer: {node: sgd, lr: 0.01}}
  report: [was]
  steps: 1
)");
  const Ended ended = train("memory", "memory", {"--set", "train.steps=10"});
  ASSERT_EQ(ended.exit, 0) << ended.err;
  EXPECT_GT(metrics("memory").front().at("was"), 9);  // 100 in the first of ten steps
}

TEST_F(Language, AGradientPassesAnUnrolledLoop) {
  write("slope", R"(weft: 1
fragments: {adds: {inputs: [h, t], nodes: {y: {formula: h * t}}, outputs: {h: y}}}
evaluate:
  data: {node: idx, images: data/t10k-images-idx3-ubyte, batch: 16}
  nodes:
    rows:  {node: reshape, x: data.image, shape: [2, 32]}
    start: {formula: '1 + 0 * mean(rows, axes=1)'}
    a:     {node: adds, loop: {times: 2, carry: {h: start}, over: {t: rows}, unroll: true}}
    score: {formula: sum(a)}
    slope: {gradient: score, of: rows}
    turned: {node: flip, x: rows, axes: [1]}
    gap:   {formula: mean(abs(slope - turned))}
    size:  {formula: mean(abs(slope))}
  report: [gap, size]
)");
  const Ended ended = weft({"evaluate", "slope.yaml", "--json"});
  ASSERT_EQ(ended.exit, 0) << ended.err;
  const auto told = nlohmann::json::parse(ended.out);
  EXPECT_GT(told.at("size"), 0.1);
  EXPECT_EQ(told.at("gap"), 0) << ended.out;
}

}  // namespace
}  // namespace weft::tests

// What learns, what does not, and by which rules.
#include "framework/run/checkpoint_store.h"
#include "tests/support/tiny_runs.h"

namespace weft::tests {
namespace {

using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

using Weights = std::map<std::string, std::vector<float>>;

class Learning : public TinyRuns {
 protected:
  void train_it(const std::string& name, const std::string& run, const Words& more = {}) const {
    const Ended ended = train(name, run, more);
    ASSERT_TRUE(ended.exit == 0 || ended.exit == 75) << ended.err;
  }
  Weights weights(const std::string& run, int64_t step) const {
    Weights all;
    const Checkpoint read = Checkpoint::read(checkpoint(run, step));
    for (const auto& [name, tensor] : read.model.tensors())
      all[name].assign(tensor.span().begin(), tensor.span().end());
    EXPECT_FALSE(all.empty());
    return all;
  }
  static void expect_near(const Weights& some, const Weights& expected, float tolerance) {
    for (const auto& [name, values] : expected)
      EXPECT_THAT(some.at(name), Pointwise(FloatNear(tolerance), values)) << name;
  }
};

TEST_F(Learning, LossesFall) {
  write("vae", tiny_vae());
  write("classifier", tiny_classifier());
  for (const char* name : {"vae", "classifier"}) {
    train_it(name, name, {"--set", "train.steps=300"});
    const auto lines = metrics(name);
    EXPECT_LT(lines.back().at("evaluate").at("loss"),
              0.85 * lines[0].at("evaluate").at("loss").get<double>());
  }
  EXPECT_GT(metrics("classifier").back().at("evaluate").at("accuracy"), 0.3);  // by chance 0.1
}

TEST_F(Learning, FrozenModulesStay) {
  write("vae", tiny_vae());
  train_it("vae", "vae");
  const std::string probe = R"(weft: 1
name: probe
modules:
  eye:  {from: vae, module: encoder, frozen: true}
  head:
    inputs: [x]
    nodes: {logits: {node: linear, x: x, features: 10}}
    outputs: {logits: logits}
train:
  data:
    node: idx
    images: data/train-images-idx3-ubyte
    labels: data/train-labels-idx1-ubyte
    batch: 48
  nodes:
    code:  {use: eye, x: data.image}
    class: {use: head, x: code.mean}
    loss:  {node: cross_entropy, logits: class.logits, label: data.label}
  phases:
    - {minimize: loss, update: head, optimizer: {node: adam}}
  steps: 20
)";
  write("probe", probe);
  train_it("probe", "probe", {"--steps", "1"});
  train_it("probe", "probe", {"--resume", "auto"});
  const Weights vae = weights("vae", 60), first = weights("probe", 1), last = weights("probe", 20);
  int eyes = 0;
  for (const auto& [name, values] : last) {
    const bool eye = name.starts_with("eye.");
    eyes += eye ? 1 : 0;
    EXPECT_EQ(values == first.at(name), eye) << name;
    EXPECT_TRUE(!eye || values == vae.at("encoder." + name.substr(4))) << name;
  }
  EXPECT_EQ(eyes, 6);

  write("wrong", replaced(probe, "update: head", "update: [head, eye]"));
  const Ended ended = train("wrong", "wrong");
  EXPECT_EQ(ended.exit, 2);
  EXPECT_THAT(ended.err, HasSubstr("eye"));
}

// What a phase minimizes may pass through other modules; it updates its own.
TEST_F(Learning, PhasesUpdateTheirOwn) {
  write("gan", replaced(tiny_gan(), "every_steps: 7", "every_steps: 1"));
  train_it("gan", "gan", {"--steps", "3"});  // the generator learns in the second only
  const Weights one = weights("gan", 1), two = weights("gan", 2), three = weights("gan", 3);
  for (const auto& [name, values] : two) {
    EXPECT_NE(values, one.at(name)) << name;
    EXPECT_EQ(values == three.at(name), name.starts_with("generator.")) << name;
  }
}

// Alone, a phase computes what the phase that rests would have computed for it.
TEST_F(Learning, APhaseThatRestsLeavesNoTrace) {
  const std::string all = replaced(tiny_gan(), "      every: 2\n", "");
  const size_t discriminator = all.find("    - name: disc"),
               generator = all.find("    - name: gen"), end = all.find("  report:");
  const auto frozen = [](const std::string& module, const std::string& text) {
    return replaced(text, "  " + module + ":\n", "  " + module + ":\n    frozen: true\n");
  };
  write("generator", frozen("discriminator", all.substr(0, discriminator) + all.substr(generator)));
  write("discriminator", frozen("generator", all.substr(0, generator) + all.substr(end)));
  write("generator_of_two",
        replaced(all, "update: discriminator\n", "update: discriminator\n      every: 60\n"));
  write("discriminator_of_two", replaced(all, "  report:", "      every: 60\n  report:"));
  for (const std::string one : {"generator", "discriminator"}) {
    const std::string two = one + "_of_two", loss = one.substr(0, 1) + "_loss";
    train_it(one, one, {"--steps", "59"});
    train_it(two, two, {"--steps", "59"});
    EXPECT_EQ(weights(one, 59), weights(two, 59));
    const auto lines = metrics(one), lines_of_two = metrics(two);
    ASSERT_EQ(lines.size(), lines_of_two.size());
    for (size_t i = 0; i < lines.size(); ++i)
      EXPECT_EQ(lines[i].value(loss, 0.0), lines_of_two[i].value(loss, 0.0));
  }
}

TEST_F(Learning, AccumulatedGradientsAreThoseOfALargerBatch) {
  const std::string plain = R"({node: sgd, lr: 0.1}
      clip: 1
  report: [accuracy]
  steps: 60
)";
  const std::string text = replaced(replaced(tiny_classifier(), "batch_norm", "layer_norm"),
                                    "shuffle: true", "shuffle: false");
  const std::string base = text.substr(0, text.find("{node: adamw")) + plain;
  write("whole", base);
  write("halves", replaced(base, "clip: 1\n", "clip: 1\n      accumulate: 2\n"));
  train_it("whole", "whole", {"--set", "batch=40", "--steps", "5"});
  train_it("halves", "halves", {"--set", "batch=20", "--steps", "10"});
  expect_near(weights("halves", 10), weights("whole", 5), 2e-6F);
}

TEST_F(Learning, ClippedWeightsStayWithinTheirBounds) {
  const std::string adam = "{node: adam, lr: {schedule: linear, from: 3e-3, to: 0}}";
  write("free", replaced(tiny_vae(), adam, "{node: sgd, lr: 0.01}"));
  write("clipped", replaced(tiny_vae(), adam, "{node: sgd, lr: 0.01}\n      clip_weights: 0.02"));
  for (const char* name : {"free", "clipped"}) train_it(name, name, {"--steps", "1"});
  Weights expected = weights("free", 1);
  for (auto& [name, values] : expected)
    for (float& value : values) value = std::clamp(value, -0.02F, 0.02F);
  expect_near(weights("clipped", 1), expected, 0);
}

// The rate is too small for gradients, the decay is not.
TEST_F(Learning, GroupsDecideByName) {
  const std::string decays = "{node: sgd, lr: 1e-20, weight_decay: 1e19}";
  const std::string text =
      replaced(tiny_vae(), "{node: adam, lr: {schedule: linear, from: 3e-3, to: 0}}", decays);
  write("all", text);
  write("none", replaced(text, "1e19", "0"));
  write("some",
        replaced(text, decays, decays + "\n      groups: [{match: \"*.bias\", weight_decay: 0}]"));
  for (const char* name : {"all", "none", "some"}) train_it(name, name, {"--steps", "1"});
  Weights all = weights("none", 1), some = all;
  for (auto& [name, values] : all)
    for (float& value : values) value *= 0.9F;
  for (auto& [name, values] : some)
    if (!name.ends_with(".bias")) values = all.at(name);
  expect_near(weights("all", 1), all, 1e-7F);
  expect_near(weights("some", 1), some, 1e-7F);
}

// The rate is zero from step 40 on, also for a run that went on at step 39.
TEST_F(Learning, SchedulesGoOnWhereTheyWere) {
  const std::string text = replaced(tiny_vae(), "from: 3e-3, to: 0", "from: 3e-3, to: 0, over: 40");
  write("vae", replaced(text, "every_steps: 7, keep: 3", "every_steps: 1, keep: 9"));
  train_it("vae", "vae", {"--steps", "39"});
  train_it("vae", "vae", {"--resume", "auto", "--steps", "42"});
  EXPECT_NE(weights("vae", 39), weights("vae", 40));
  EXPECT_EQ(weights("vae", 40), weights("vae", 42));
}

TEST_F(Learning, PatienceEndsTheTraining) {
  const std::string text =
      replaced(tiny_vae(), "lr: {schedule: linear, from: 3e-3, to: 0}", "lr: 0");
  write("vae", replaced(text, "best: loss", "best: loss, patience: 2"));
  for (const Words& how : {Words{}, Words{"--resume", "auto"}}) {
    EXPECT_EQ(train("vae", "run", how).exit, 0);
    EXPECT_EQ(status("run").at("step"), 15);  // the first epoch is the best, two more are not
    EXPECT_EQ(status("run").at("state"), "done");
  }
}

constexpr const char* vq_vae = R"(weft: 1
modules:
  encoder:
    inputs: [x]
    nodes:
      z: {node: linear, x: x, features: 24}
      v: {node: reshape, x: z, shape: [6, 4]}
    outputs: {z: v}
  codebook:
    optional: [x, codes]
    nodes: {vq: {node: vector_quantize, x: x, look_up: codes, codes: 16, features: 4}}
    outputs: {y: vq.y, code: vq.code, commitment: vq.commitment}
  decoder:
    inputs: [z]
    nodes: {f: {node: reshape, x: z, shape: [24]}, y: {node: linear, x: f, features: 8}}
    outputs: {y: y}
train:
  nodes:
    x:     {node: normal, shape: [32, 8]}
    z:     {use: encoder, x: x}
    q:     {use: codebook, x: z}
    y:     {use: decoder, z: q.y}
    error: {node: mse, x: y, target: x}
    pull:  {node: scale, x: q.commitment, by: 0.25}
    loss:  {node: add, a: error, b: pull}
  phases:
    - {minimize: loss, update: [encoder, decoder], optimizer: {node: rmsprop, lr: 3e-3}}
  report: [error]
  steps: 200
evaluate:
  nodes:
    x:    {node: normal, shape: [32, 8]}
    z:    {use: encoder, x: x}
    q:    {use: codebook, x: z}
    r:    {use: codebook, codes: q.code}
    same: {node: mse, x: q.y, target: r.y}
  report: [same]
)";

TEST_F(Learning, UsesOfAModuleShareWhatItRemembers) {
  write("vq", vq_vae);
  train_it("vq", "vq");
  const auto lines = metrics("vq");
  EXPECT_LT(lines.at(lines.size() - 2).at("error"), 0.5 * lines[0].at("error").get<double>());
  EXPECT_EQ(lines.back().at("evaluate").at("same"), 0);
  for (const std::string lanes : {"1", "3"})
    train_it("vq", "vq" + lanes, {"--set", "train.lanes=" + lanes, "--steps", "10"});
  expect_near(weights("vq3", 10), weights("vq1", 10), 1e-5F);
}

constexpr const char* counting = R"(weft: 1
modules:
  counts:
    inputs: [at]
    optional: [x]
    nodes: {m: {node: memory, at: at, x: x, size: 8}}
    outputs: {y: m}
train:
  nodes:
    row:    {node: cycle, rows: 4, below: 4}
    before: {use: counts, at: row}
    more:   {node: scale, x: before, by: 1, plus: 1}
    after:  {use: counts, at: row, x: more}
  report: [before, after]
  steps: 3
evaluate:
  nodes:
    all: {node: cycle, rows: 8, below: 8}
    y:   {use: counts, at: all}
  report: [y]
)";

TEST_F(Learning, AMemoryIsReadAndThenWritten) {
  write("counts", counting);
  for (const std::string lanes : {"1", "3"}) {
    const std::string run = "counts" + lanes;
    train_it("counts", run, {"--set", "train.lanes=" + lanes});
    const auto lines = metrics(run);
    EXPECT_EQ(lines.back().at("evaluate").at("y"), 1.5) << "3 at half of the places";
    EXPECT_EQ(lines[0].at("before"), lines[0].at("after")) << "what was there before the step";
  }
}

}  // namespace
}  // namespace weft::tests

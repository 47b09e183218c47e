// NaN and infinity end the training at once, are traced to their place, and are never saved.
#include <cmath>

#include "framework/run/checkpoint_store.h"
#include "tests/support/tiny_runs.h"

namespace weft::tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class Nonfinite : public TinyRuns {
 protected:
  // Trains; every checkpoint it leaves is whole, finite and can be evaluated.
  Ended fails(const std::string& pipeline) {
    write("bad", pipeline);
    const Ended ended = train("bad", "run");
    EXPECT_EQ(ended.exit, 5) << ended.err;
    EXPECT_EQ(status("run").at("state"), "failed");
    EXPECT_THAT(ended.err, HasSubstr(status("run").at("reason").get<std::string>()));
    for (const auto& entry : fs::directory_iterator(folder_ / "run/checkpoints"))
      if (!entry.is_symlink()) expect_finite(entry.path());
    return ended;
  }
  static void expect_finite(const fs::path& directory) {
    const Checkpoint checkpoint = Checkpoint::read(directory);
    for (const Safetensors* file : {&checkpoint.model, &checkpoint.optimizer})
      for (const auto& [name, tensor] : file->tensors())
        for (const float x : tensor.span()) ASSERT_TRUE(std::isfinite(x)) << name;
  }
  static std::string with_rate(const std::string& rate) {
    return replaced(tiny_classifier(), "lr: {schedule: cosine, from: 3e-3, to: 0, warmup: 10}",
                    "lr: " + rate);
  }
};

TEST_F(Nonfinite, ALossThatOverflowsNamesItsPlace) {
  std::string pipeline =
      replaced(tiny_vae(), "{node: adam, lr: {schedule: linear, from: 3e-3, to: 0}}",
               "{node: sgd, lr: 1e30}");
  const Ended ended = fails(pipeline);
  EXPECT_THAT(ended.err,
              AllOf(ContainsRegex("step [0-9]+, phase `phase1`"),
                    ContainsRegex("node `[a-z_.]+` \\([a-z_]+\\) at bad.yaml:[0-9]+|weight `")));
}

// The rate rises from step 15 on: step 14 is saved, and stays.
TEST_F(Nonfinite, EarlierCheckpointsStay) {
  const Ended ended = fails(with_rate("{schedule: piecewise, points: {0: 1e-3, 15: 1e38}}"));
  EXPECT_THAT(ended.err, ContainsRegex("step 1[5-9], phase `phase1`"));
  const Ended evaluated = weft({"evaluate", "run"});
  EXPECT_EQ(evaluated.exit, 0) << evaluated.err;
  EXPECT_GE(step_of(last("run")), 14);
}

TEST_F(Nonfinite, ASlopeAtFirstIsNoMatterOfTheRate) {
  const Ended ended = fails(R"(weft: 1
modules:
  net: {inputs: [x], nodes: {y: {node: linear, x: x, features: 2, gain: 0}}, outputs: {y: y}}
train:
  data: {node: idx, images: data/train-images-idx3-ubyte, batch: 16}
  nodes:
    y:    {use: net, x: data.image}
    loss: {formula: sqrt(sum(y**2))}
  phases: [{minimize: loss, update: net, optimizer: {node: sgd, lr: 0.1}}]
  steps: 3
)");
  EXPECT_THAT(ended.err, AllOf(HasSubstr("the gradient of `net.y.weight` is not finite"),
                               HasSubstr("as that of `sqrt` at 0"), Not(HasSubstr("A lower"))));
}

// What a step leaves behind when it fails, running_mean, is not the cause.
TEST_F(Nonfinite, AWeightThatOverflowsIsNamed) {
  const Ended ended = fails(with_rate("1e300"));
  EXPECT_THAT(ended.err, ContainsRegex("from weight `classifier\\.[a-z]+\\.(weight|bias)`"));
  std::filesystem::remove_all(folder_ / "run");
  EXPECT_THAT(fails(with_rate("1e30")).err,
              ContainsRegex("from node `class\\.[a-z]+` \\([a-z_]+\\)"));
}

// No optimizer has touched anything yet.
TEST_F(Nonfinite, TheFirstStepSavesNothing) {
  const Ended ended = fails(
      replaced(tiny_vae(), "loss:  {node: add, a: bce, b: kl}",
               "huge:  {node: scale, x: bce, by: -1e38}\n    loss:  {node: add, a: huge, b: kl}"));
  EXPECT_THAT(ended.err, HasSubstr("step 0, phase `phase1`"));
  EXPECT_THAT(ended.err, HasSubstr("node `huge` (scale) at bad.yaml:"));
  EXPECT_EQ(step_of(last("run")), -1);
}

// What the first phase learned in the step is not what its nodes had computed with.
TEST_F(Nonfinite, AnEarlierPhaseIsNotTakenForTheCause) {
  const Ended ended = fails(R"(weft: 1
name: two
modules:
  net:   {inputs: [x], nodes: {h: {node: linear, x: x, features: 8}, y: {node: linear, x: h, features: 1}}, outputs: {y: y}}
  other: {inputs: [x], nodes: {y: {node: linear, x: x, features: 1}}, outputs: {y: y}}
train:
  data: {node: idx, images: data/train-images-idx3-ubyte, batch: 48}
  nodes:
    a:      {use: net, x: data.image}
    b:      {use: other, x: data.image}
    one:    {node: fill, like: b.y, value: 1}
    a_loss: {node: bce_with_logits, x: a.y, target: one}
    b_loss: {node: bce_with_logits, x: b.y, target: one}
    large:  {node: scale, x: b_loss, by: 1e30}
    huge:   {node: scale, x: large, by: 1e30}
  phases:
    - {name: first, minimize: a_loss, update: net, optimizer: {node: sgd, lr: 1e30}}
    - {name: second, minimize: huge, update: other, optimizer: {node: sgd, lr: 1e-3}}
  steps: 60
)");
  EXPECT_THAT(ended.err, AllOf(HasSubstr("step 0, phase `second`"),
                               HasSubstr("from node `huge` (scale) at bad.yaml:")));
}

}  // namespace
}  // namespace weft::tests

// Params on schedules: their bounds are planned for, and every section goes by the training's
// clock.
#include "tests/support/tiny_runs.h"

namespace weft::tests {

using testing::HasSubstr;

class Schedules : public TinyRuns {};

TEST_F(Schedules, BeginWhereANodeHasNothingToDo) {
  const std::string rises = "rate: {schedule: linear, from: 0, to: 0.5}";
  write("vae", replaced(tiny_vae(), "rate: 0.2", rises));
  const Ended ended = train("vae", "a");
  EXPECT_EQ(ended.exit, 0) << ended.err;
}

TEST_F(Schedules, MakeRoomForTheMostBlanks) {
  const std::string rises = "rate: {schedule: linear, from: 0.1, to: 0.9}";
  write("sequence", replaced(tiny_sequence(), "rate: 0.3", rises));
  const Ended ended = train("sequence", "a");
  EXPECT_EQ(ended.exit, 0) << ended.err;
}

// Without `over`: as long as the training, whatever data a section has.
TEST_F(Schedules, AreOnOneClockInEverySection) {
  std::string text = replaced(tiny_vae(), "  steps: 60\n", "  epochs: 12\n");
  text = replaced(text, "    loss:  {node: add, a: bce, b: kl}\n",
                  "    loss:  {node: add, a: bce, b: kl}\n"
                  "    now:   {node: fill, like: kl, value: {schedule: linear, from: 0, to: 1}}\n");
  text = replaced(text, "  report: [bce, kl]\n", "  report: [bce, kl, now]\n");
  write("vae", replaced(text, "  report: [loss, bce, kl]\n", "  report: [loss, now]\n"));
  const Ended ended = weft({"train", "vae.yaml", "-o", "a", "--log-every", "1"});
  ASSERT_EQ(ended.exit, 0) << ended.err;
  std::map<int64_t, double> trained, evaluated;
  for (const auto& line : metrics("a")) {
    const int64_t step = line.at("step");
    if (line.contains("evaluate")) {
      evaluated[step] = line.at("evaluate").at("now");
      continue;
    }
    trained[step - 1] = line.at("now");
    EXPECT_NEAR(line.at("scheduled").at("now.value").get<double>(), line.at("now"), 1e-6);
    EXPECT_GE(line.at("scheduled").at("lr"), 0);
  }
  ASSERT_EQ(evaluated.size(), 12U);
  for (const auto& [step, value] : evaluated)
    EXPECT_NEAR(value, step < 60 ? trained.at(step) : 1, 1e-6) << step;
  const Ended later = weft({"evaluate", "a", "--checkpoint", "55", "--json"});
  ASSERT_EQ(later.exit, 0) << later.err;
  EXPECT_NEAR(nlohmann::json::parse(later.out).at("now").get<double>(), evaluated.at(55), 1e-6);
  EXPECT_EQ(weft({"graph", "vae.yaml", "--section", "evaluate"}).exit, 0);
  EXPECT_EQ(weft({"profile", "vae.yaml", "--section", "evaluate", "--steps", "2"}).exit, 0);
}

TEST_F(Schedules, NeedALengthWhereThereIsNoTraining) {
  write("drawn", R"(weft: 1
name: drawn
generate:
  nodes:
    z: {node: normal, shape: [4, 8, 8, 1]}
    y: {node: scale, x: z, by: {schedule: linear, from: 0, to: 1}}
    save: {node: image_grid, x: y, path: y.png}
)");
  const Ended ended = weft({"generate", "drawn.yaml"});
  EXPECT_EQ(ended.exit, 2);
  EXPECT_THAT(ended.err, HasSubstr("how long the training is, is not known here"));
}

}  // namespace weft::tests

// What a trained model is worth, and what it makes.
#include <png.h>

#include "framework/node/error.h"
#include "tests/support/tiny_runs.h"

namespace weft::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class Trained : public TinyRuns {
 protected:
  void train_it(const std::string& pipeline) {
    write("it", pipeline);
    const Ended ended = train("it", "run");
    ASSERT_EQ(ended.exit, 0) << ended.err;
  }
  json evaluate(Words more = {}) const {
    Words words{"evaluate", "run", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const Ended ended = weft(words);
    EXPECT_EQ(ended.exit, 0) << ended.err;
    return json::parse(ended.out);
  }
};

TEST_F(Trained, EvaluationRepeatsTheTrainings) {
  train_it(tiny_vae());
  const json once = evaluate();
  EXPECT_EQ(once.at("step"), 60);
  for (const char* threads : {"1", "2", "8"}) EXPECT_EQ(evaluate({"--threads", threads}), once);
  json last = metrics("run").back().at("evaluate");
  last["step"] = 60;
  EXPECT_EQ(once, last);
  const json best = evaluate({"--checkpoint", "best"});
  EXPECT_LE(best.at("loss"), once.at("loss"));
  EXPECT_EQ(evaluate({"--checkpoint", "60"}), once);

  const Ended plain = weft({"evaluate", "run"});
  EXPECT_EQ(plain.exit, 0);
  EXPECT_THAT(plain.out, testing::MatchesRegex("loss [0-9.]+ \\| bce [0-9.]+ \\| kl [0-9.]+\n"));
  EXPECT_EQ(weft({"evaluate", "run", "--checkpoint", "13"}).exit, 6);
  EXPECT_EQ(weft({"evaluate", "run", "--checkpoint", "13th"}).exit, 2);
}

TEST_F(Trained, IsEvaluatedInSomeEpochsAndAtTheEnd) {
  train_it(replaced(tiny_vae(), "evaluate:\n", "evaluate:\n  every: 5\n"));
  std::vector<int64_t> steps;  // 5 in an epoch, 60 in all
  for (const json& line : metrics("run"))
    if (line.contains("evaluate")) steps.push_back(line.at("step"));
  EXPECT_EQ(steps, (std::vector<int64_t>{25, 50, 60}));
}

TEST_F(Trained, WithoutBf16InTheCpuThereIsNoTraining) {
  write("it", replaced(tiny_halves(), "precision: auto", "precision: bf16"));
  Command here = training("it", "run");
  here.environment["ONEDNN_MAX_CPU_ISA"] = "AVX2";
  const Ended refused = run(here);
  EXPECT_EQ(refused.exit, static_cast<int>(Exit::usage));
  EXPECT_THAT(refused.err, HasSubstr("it.yaml:2:12: `precision: bf16` needs a CPU with"));
  here.words.insert(here.words.end(), {"--set", "precision=auto", "--steps", "3"});
  EXPECT_EQ(run(here).exit, static_cast<int>(Exit::stopped));
}

TEST_F(Trained, WithoutBf16InTheCpuARunIsEvaluatedInF32) {
  write("it", replaced(tiny_halves(), "precision: auto", "precision: bf16"));
  const Ended trained = train("it", "run");
  if (trained.exit == static_cast<int>(Exit::usage)) GTEST_SKIP() << trained.err;
  Command here = command({"evaluate", "run", "--json"});
  here.environment["ONEDNN_MAX_CPU_ISA"] = "AVX2";
  const Ended ended = run(here);
  ASSERT_EQ(ended.exit, 0) << ended.err;
  const json ours = evaluate(), theirs = json::parse(ended.out);
  const double loss = ours.at("loss");
  EXPECT_NEAR(theirs.at("loss").get<double>(), loss, 0.05 * loss);
}

// A memory fills without phases; measures, too, rest until `evaluate`.
TEST_F(Trained, AMemoryFillsAndIsMeasured) {
  train_it(R"(weft: 1
name: memory
modules:
  memory:
    inputs: [x, label]
    nodes:
      votes: {node: knn, x: x, label: label, classes: 10, capacity: 200, k: 1}
    outputs: {votes: votes}
train:
  data: {node: idx, images: data/train-images-idx3-ubyte, labels: data/train-labels-idx1-ubyte, batch: 48}
  nodes:
    votes:    {use: memory, x: data.image, label: data.label}
    accuracy: {node: accuracy, x: votes, label: data.label}
    f1:       {node: f1, x: votes, label: data.label}
  epochs: 1
evaluate:
  data: {images: data/train-images-idx3-ubyte, labels: data/train-labels-idx1-ubyte}
  report: [accuracy, f1]
)");
  const json values = evaluate();  // each image is its own nearest neighbour
  EXPECT_EQ(values.at("accuracy"), 1);
  EXPECT_EQ(values.at("f1"), 1);
}

// 40 images: batches of 7 end with one of 5, of 48 with a short one only.
TEST_F(Trained, TheSizeOfTheBatchDoesNotMatter) {
  train_it(tiny_classifier());
  const json one = evaluate({"--set", "evaluate.data.batch=1"});
  for (const char* batch : {"7", "40", "48"}) {
    const json other = evaluate({"--set", std::string("evaluate.data.batch=") + batch});
    for (const char* name : {"loss", "accuracy"})
      EXPECT_NEAR(other.at(name).get<double>(), one.at(name).get<double>(), 1e-6) << batch;
  }
}

// What libpng reads: gray bytes, row by row.
std::vector<unsigned char> read_png(const fs::path& file, unsigned& width, unsigned& height) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_TRUE(png_image_begin_read_from_file(&image, file.c_str())) << image.message;
  image.format = PNG_FORMAT_GRAY;
  std::vector<unsigned char> pixels(PNG_IMAGE_SIZE(image));
  EXPECT_TRUE(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr)) << image.message;
  width = image.width, height = image.height;
  return pixels;
}

TEST_F(Trained, ImagesAreGenerated) {
  train_it(tiny_vae());
  std::string bytes;
  for (const char* threads : {"1", "8"}) {
    const std::string out = std::string("out") + threads;
    const Ended ended = weft({"generate", "run", "-n", "5", "-o", out, "--threads", threads});
    ASSERT_EQ(ended.exit, 0) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr("wrote to " + out));
    if (bytes.empty()) bytes = text(out + "/samples.png");
    EXPECT_TRUE(text(out + "/samples.png") == bytes);
  }
  unsigned width = 0, height = 0;
  const auto pixels = read_png(folder_ / "out1/samples.png", width, height);
  EXPECT_GE(width * height, 5 * 64U);
  EXPECT_GE(width, 3 * 8U);
  EXPECT_LT(width * height, 9 * 100U);
  EXPECT_GT(*std::max_element(pixels.begin(), pixels.end()), 128);  // bars: it has learned them
  EXPECT_LT(*std::min_element(pixels.begin(), pixels.end()), 64);
  const Ended other = weft({"generate", "run", "-n", "5", "-o", "other", "--set", "seed=1"});
  ASSERT_EQ(other.exit, 0) << other.err;
  EXPECT_FALSE(text("other/samples.png") == bytes);
}

TEST_F(Trained, TheSeedVariesWhatIsGeneratedAndStandsInIt) {
  train_it(tiny_gan());
  const auto drawn = [&](const Words& more) {
    Words words{"generate", "run"};
    words.insert(words.end(), more.begin(), more.end());
    const Ended ended = weft(words);
    EXPECT_EQ(ended.exit, 0) << ended.err;
    return text("run/samples.png");
  };
  const std::string usual = drawn({}), seven = drawn({"--seed", "7"});
  EXPECT_NE(usual, seven);
  EXPECT_EQ(drawn({"--seed", "7"}), seven);
  EXPECT_EQ(drawn({"--set", "seed=7"}), seven);
  EXPECT_THAT(seven, HasSubstr("tEXtComment"));
  EXPECT_THAT(seven, HasSubstr("weft, gan, seed 7"));
}

TEST_F(Trained, ModulesOfARunGenerateElsewhere) {
  train_it(tiny_vae());
  write("draw", R"(weft: 1
name: vae
vars: {count: 5}
modules:
  painter: {from: run, module: decoder}
generate:
  nodes:
    z:     {node: normal, shape: [$count, 4]}
    image: {use: painter, z: z}
    save:  {node: image_grid, x: image.logits, map: sigmoid, path: samples.png}
)");
  ASSERT_EQ(weft({"generate", "run", "-n", "5", "-o", "one"}).exit, 0);
  write("five", replaced(text("draw.yaml"), "$count", "5"));
  const Ended uncounted = weft({"generate", "five.yaml", "-n", "5", "-o", "two"});
  EXPECT_EQ(uncounted.exit, 2);
  EXPECT_THAT(uncounted.err, testing::HasSubstr("five.yaml does not use it"));
  const Ended ended = weft({"generate", "draw.yaml", "-o", "two"});
  ASSERT_EQ(ended.exit, 0) << ended.err;
  EXPECT_TRUE(text("one/samples.png") == text("two/samples.png"));
  ASSERT_EQ(weft({"generate", "draw.yaml"}).exit, 0);
  EXPECT_TRUE(text("one/samples.png") == text("runs/vae/samples.png"));
  write("thaw", replaced(text("draw.yaml"), "module: decoder", "module: decoder, frozn: true"));
  EXPECT_THAT(weft({"check", "thaw.yaml"}).err,
              HasSubstr("module `painter` has no key `frozn` (did you mean `frozen`?)"));
}

TEST_F(Trained, AnUntrainedModelIsRefused) {
  write("it", tiny_vae());
  const Ended ended = weft({"generate", "it.yaml"});
  EXPECT_EQ(ended.exit, 2);
  EXPECT_THAT(ended.err,
              HasSubstr("module `decoder` is not trained yet: run `weft train it.yaml`"));
  EXPECT_EQ(weft({"evaluate", "data"}).exit, 2);
  EXPECT_EQ(weft({"evaluate", "nowhere"}).exit, 2);
}

}  // namespace
}  // namespace weft::tests

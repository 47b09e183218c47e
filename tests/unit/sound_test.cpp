// Waves: read from files, made of spectrograms, written to files.
#include <gmock/gmock.h>

#include <cmath>
#include <numbers>
#include <set>

#include "framework/formats/audio.h"
#include "framework/formats/spectrogram.h"
#include "framework/node/host.h"
#include "framework/node/sink.h"
#include "framework/plan/build_plan.h"
#include "tests/support/lone_node.h"
#include "tests/support/media.h"
#include "tests/support/temporary_directory.h"

namespace weft::tests {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Floats = std::vector<float>;
using Params = LoneNode::Params;

constexpr int wav = SF_FORMAT_WAV | SF_FORMAT_PCM_16;

// A sine that climbs from 200 Hz to 3 kHz in a second, and fades.
Floats sweep(int rate) {
  Floats samples;
  for (int i = 0; i < rate; ++i) {
    const double t = static_cast<double>(i) / rate;
    samples.push_back(static_cast<float>(
        0.6 * (1 - t) * std::sin(2 * std::numbers::pi * (200 * t + 1400 * t * t))));
  }
  return samples;
}

class Waves : public testing::Test {
 protected:
  Params folder(int64_t batch) const {
    return {{"folder", std::vector{here_.path().string()}},
            {"batch", batch},
            {"rate", int64_t{1000}},
            {"seconds", 0.02},
            {"window", int64_t{64}},
            {"hop", int64_t{10}},
            {"mels", int64_t{5}}};
  }
  TemporaryDirectory here_;
};

TEST_F(Waves, GoWithTheirSpectrograms) {
  const Floats first{0, 0.5F, -0.25F, 1, -1};
  write_sound(here_ / "a.wav", wav, 1000, 1, first);
  write_sound(here_ / "b.wav", wav, 1000, 1, Floats(30, 0.25F));
  LoneNode node("audio", folder(2));
  node.infer();
  node.forward(0, 2);
  EXPECT_EQ(node.out("wave").shape(), Shape({2, 20}));
  Floats wave = node.floats("wave");
  for (size_t i = 0; i < 20; ++i) EXPECT_NEAR(wave[i], i < 5 ? first[i] : 0, 1e-4) << i;
  EXPECT_THAT(Floats(wave.begin() + 20, wave.end()), Each(0.25F));
  wave.resize(20);
  const AudioForm form{.rate = 1000, .seconds = 0.02, .window = 64, .hop = 10, .mels = 5};
  Floats mel = node.floats("spectrogram");
  mel.resize(2 * 5);
  EXPECT_EQ(mel, log_mel(wave, form));
}

TEST_F(Waves, CostNothingUnlessTheyAreRead) {
  write_sound(here_ / "a.wav", wav, 1000, 1, {0.5F});
  LoneNode node("audio", folder(1));
  node.infer();
  const auto want = [&](const char* name, bool wanted) {
    for (Out* out : node.node().host().outs)
      if (out->name == std::string(name)) Host::want(*out, wanted);
  };
  want("wave", false);
  node.forward(0, 1);
  EXPECT_THAT(node.floats("wave"), Each(-99));  // as it was
  want("wave", true), want("spectrogram", false);
  node.infer();
  node.forward(0, 1);
  EXPECT_THAT(node.floats("spectrogram"), Each(-99));
  EXPECT_NEAR(node.floats("wave")[0], 0.5, 1e-4);
}

TEST_F(Waves, PlansKnowWhatIsRead) {
  write_sound(here_ / "a/a.wav", wav, 1000, 1, {0.5F});
  const auto wanted = [&](Mode mode, const std::string& more) {
    Mistakes mistakes;
    const Pipeline pipeline = Pipeline::parse(R"(
weft: 1
modules:
  m: {inputs: [x], nodes: {y: {node: linear, x: x, features: 1}}, outputs: {y: y}}
train:
  data: {node: audio, folder: )" + here_.path().string() +
                                                  R"(, seconds: 0.01, batch: 1}
  nodes:
    y:    {use: m, x: data.wave}
    loss: {node: mse, x: y, target: y}
  phases: [{minimize: loss, update: m, optimizer: {node: sgd, lr: 1}}]
  steps: 1
)" + more,
                                              "pipeline.yaml", {}, mistakes);
    mistakes.check();
    const auto plan = build_plan(pipeline, standard_nodes(), mode, {}, mistakes);
    mistakes.check();
    std::set<std::string> names;
    for (const Out* out : plan->nodes[plan->data].node->host().outs)
      if (out->wanted()) names.insert(out->name);
    return names;
  };
  EXPECT_THAT(wanted(Mode::train, ""), ElementsAre("wave"));
  EXPECT_THAT(wanted(Mode::evaluate, "evaluate: {report: [loss, data.spectrogram]}\n"),
              ElementsAre("spectrogram", "wave"));
}

TEST_F(Waves, NamesSayClassesAndWhichFilesThereAre) {
  for (const char* name : {"bd_a.wav", "sn_b.wav", "bd_c.wav", "1.wav", "loop/x.wav"})
    write_sound(here_ / name, wav, 1000, 1, {0.5F});
  const auto labels = [&](const std::string& match, const std::string& label, int64_t files) {
    auto params = folder(files);
    params["match"] = match, params["label"] = label;
    LoneNode node("audio", params);
    node.infer();
    node.forward(0, files);
    return node.ints("label");
  };
  EXPECT_THAT(labels("", "", 5), ElementsAre(-1, -1, -1, 0, -1));  // 1 bd_a bd_c loop/x sn_b
  EXPECT_THAT(labels("", "^[a-z]+(?=_)", 5), ElementsAre(-1, 0, 0, -1, 1));
  EXPECT_THAT(labels("_", "^[a-z]+", 3), ElementsAre(0, 0, 1));
  auto params = folder(1);
  params["match"] = std::string("flac");
  EXPECT_THAT(LoneNode::complaint("audio", params),
              HasSubstr("no audio file in " + here_.path().string() + " matches `flac`"));
  params["match"] = std::string("(");
  EXPECT_THAT(LoneNode::complaint("audio", params), HasSubstr("`match` is no regular expression"));
  params = folder(1), params["label"] = std::string("(");
  EXPECT_THAT(LoneNode::complaint("audio", params), HasSubstr("`label` is no regular expression"));
}

// The mean distance of two log-mel spectrograms in dB, where the first is less than 40 dB below
// its loudest.
double distance(const Floats& a, const Floats& b) {
  const float loudest = *std::ranges::max_element(a);
  double sum = 0, count = 0;
  for (size_t i = 0; i < a.size(); ++i)
    if (a[i] > loudest - 40 / 10 * std::numbers::ln10_v<float>)
      sum += std::abs(a[i] - b[i]) * 10 / std::numbers::ln10, ++count;
  return sum / count;
}

TEST(GriffinLim, GivesASweepBack) {
  const AudioForm form{.rate = 8000, .seconds = 1, .window = 256, .hop = 64, .mels = 40};
  const Floats goal = log_mel(sweep(8000), form);
  const auto sound = [&](int64_t iterations, double momentum) {
    LoneNode node("griffin_lim", {{"rate", form.rate},
                                  {"window", form.window},
                                  {"hop", form.hop},
                                  {"mels", form.mels},
                                  {"iterations", iterations},
                                  {"momentum", momentum}});
    Floats two = goal;  // the second sound is silence
    two.resize(2 * goal.size(), std::log(AudioForm::floor));
    node.feed("x", {2, form.frames(), form.mels}, two).infer();
    node.node().prepare(Pass::forward);
    node.forward(0, 2);
    return node.floats("y");
  };
  const auto loss = [&](Floats both) {
    EXPECT_THAT(Floats(both.begin() + 8000, both.end()), Each(0));
    both.resize(8000);
    return distance(goal, log_mel(both, form));
  };
  const double drawn = loss(sound(0, 0.99)), plain = loss(sound(60, 0)),
               fast = loss(sound(60, 0.99));
  RecordProperty("dB",
                 std::to_string(drawn) + " " + std::to_string(plain) + " " + std::to_string(fast));
  EXPECT_GT(drawn, 3);
  EXPECT_LT(plain, 2);
  EXPECT_LT(fast, plain);
  EXPECT_EQ(sound(5, 0.99), sound(5, 0.99));
}

TEST(GriffinLim, TakesOnlySpectrogramsOfItsParams) {
  LoneNode node("griffin_lim");
  node.feed("x", {1, 99, 40}, Floats(99 * 40));
  try {
    node.infer();
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "`x` is [1, 99, 40], but spectrograms of these params are [batch, 100, 40]");
  }
}

class WavFile : public Waves {
 protected:
  std::string refusal(const std::string& path, const Shape& shape, int64_t rate = 8000) const {
    try {
      LoneNode node("wav_file", {{"path", path}, {"rate", rate}}, here_.path());
      node.feed("x", shape, Floats(static_cast<size_t>(shape.elements()))).infer();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(WavFile, WritesEachSound) {
  for (const char* extension : {".wav", ".flac", ".ogg"}) {
    SCOPED_TRACE(extension);
    LoneNode node("wav_file",
                  {{"path", "out/clip" + std::string(extension)}, {"rate", int64_t{8000}}},
                  here_.path());
    Floats two = sweep(8000);
    two.insert(two.end(), 8000, 0.0F), two.insert(two.end(), 8000, 0.5F);
    node.feed("x", {3, 8000}, two).infer();
    node.forward(0, 3), node.forward(1, 1);
    const auto file = [&](const char* number) {
      return here_ / ("out/clip-000" + std::string(number) + extension);
    };
    const Floats back = read_audio(file("0"), 8000);
    ASSERT_EQ(back.size(), 8000U);
    double error = 0;
    for (size_t i = 0; i < back.size(); ++i)
      error = std::max<double>(error, std::abs(back[i] - two[i]));
    EXPECT_LT(error, extension == std::string(".ogg") ? 0.2 : 1e-4);
    EXPECT_EQ(read_audio(file("3"), 8000), back);
    EXPECT_FALSE(std::filesystem::exists(file("4")));
    EXPECT_THAT(read_audio(file("1"), 8000), Each(testing::FloatNear(0, 1e-3F)));
  }
}

TEST_F(WavFile, SaysWhatItClips) {
  LoneNode node("wav_file", {{"path", std::string("clip.wav")}}, here_.path());
  node.feed("x", {3, 2}, Floats{2, -3, 0, 1, NAN, 0.5F}).infer();
  EXPECT_THAT(node.node().notes(), IsEmpty());
  node.forward(0, 3);
  auto& sink = dynamic_cast<Sink&>(node.node());
  sink.finish();
  EXPECT_THAT(sink.notes(), ElementsAre("2 of the sounds went beyond [-1, 1] and are clipped"));
  EXPECT_THAT(read_audio(here_ / "clip-0000.wav", 16000),
              ElementsAre(32767 / 32768.F, -32767 / 32768.F));
  EXPECT_THAT(read_audio(here_ / "clip-0002.wav", 16000), ElementsAre(0, 0.5F));
  sink.finish();
  EXPECT_THAT(sink.notes(), IsEmpty());
}

TEST_F(WavFile, MistakesAreSentences) {
  EXPECT_EQ(refusal("a.mp3", {1, 4}), "`path` is a.mp3, but must end in .wav, .flac or .ogg");
  EXPECT_THAT(refusal("../a.wav", {1, 4}), HasSubstr("must lie in the run's directory"));
  EXPECT_EQ(refusal("a.wav", {1, 4, 1}), "`x` is [1, 4, 1], but must be [batch, samples]");
}

}  // namespace
}  // namespace weft::tests

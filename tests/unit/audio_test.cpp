// Audio files: samples, spectrograms, and folders of them.
#include "framework/formats/audio.h"
#include "framework/formats/spectrogram.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <complex>
#include <numbers>
#include <string>

#include "tests/support/lone_node.h"
#include "tests/support/media.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"

namespace weft::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int wav = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
constexpr int float_wav = SF_FORMAT_WAV | SF_FORMAT_FLOAT;
constexpr int flac = SF_FORMAT_FLAC | SF_FORMAT_PCM_16;
constexpr int ogg = SF_FORMAT_OGG | SF_FORMAT_VORBIS;

std::vector<float> tone(double hertz, double height, int rate, double seconds, int channels = 1) {
  std::vector<float> samples;
  for (int64_t i = 0; i < static_cast<int64_t>(seconds * rate); ++i)
    for (int c = 0; c < channels; ++c)  // the first channel alone sounds
      samples.push_back(
          c > 0 ? 0
                : static_cast<float>(height * std::sin(2 * std::numbers::pi * hertz * i / rate)));
  return samples;
}

// The height of the sine at this frequency.
double strength(const std::vector<float>& samples, double hertz, int rate) {
  std::complex<double> sum = 0;
  for (size_t i = 0; i < samples.size(); ++i)
    sum += static_cast<double>(samples[i]) *
           std::polar(1.0, -2 * std::numbers::pi * hertz * static_cast<double>(i) / rate);
  return 2 * std::abs(sum) / static_cast<double>(samples.size());
}

class AudioFile : public testing::Test {
 protected:
  std::string refused(const std::string& name, double seconds = 1000) const {
    try {
      read_audio(here_ / name, 8000, seconds);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Exit::data);
      return error.what();
    }
    return "";
  }

  TemporaryDirectory here_;
};

TEST_F(AudioFile, TonesKeepTheirPitchAndHeight) {
  for (const auto& [name, format] :
       {std::pair{"a.wav", wav}, {"b.wav", float_wav}, {"a.flac", flac}, {"a.ogg", ogg}})
    for (const int rate : {8000, 44100})
      for (const int channels : {1, 2}) {
        SCOPED_TRACE(std::string(name) + " " + std::to_string(rate));
        write_sound(here_ / name, format, rate, channels, tone(440, 0.5, rate, 1, channels));
        const auto samples = read_audio(here_ / name, 16000);
        EXPECT_NEAR(std::ssize(samples), 16000, 2);
        EXPECT_NEAR(strength(samples, 440, 16000), 0.5 / channels, 0.02);
        for (const double other : {220, 430, 450, 880, 3560})
          EXPECT_LT(strength(samples, other, 16000), 0.01) << other;
        EXPECT_EQ(samples, read_audio(here_ / name, 16000));
      }
}

TEST_F(AudioFile, SamplesOfTheSameRateAreKept) {
  const std::vector<float> samples{0, 0.5F, -0.25F, 2, -3};
  write_sound(here_ / "a.wav", float_wav, 8000, 1, samples);
  EXPECT_THAT(read_audio(here_ / "a.wav", 8000), ElementsAre(0, 0.5F, -0.25F, 1, -1));
  EXPECT_THAT(read_audio(here_ / "a.wav", 8000, 3 / 8000.), ElementsAre(0, 0.5F, -0.25F));
}

TEST_F(AudioFile, BrokenFilesAreNamed) {
  EXPECT_THAT(refused("none.wav"), HasSubstr("none.wav: No such file"));
  std::filesystem::create_directory(here_ / "folder.wav");
  EXPECT_THAT(refused("folder.wav"), HasSubstr("folder.wav is not a file"));
  mkfifo((here_ / "pipe.wav").c_str(), 0600);
  EXPECT_THAT(refused("pipe.wav"), HasSubstr("pipe.wav is not a file"));
  write_text(here_ / "a.ogg", "");
  EXPECT_THAT(refused("a.ogg"), HasSubstr("a.ogg: is empty"));
  write_text(here_ / "a.flac", "no sound at all");
  EXPECT_THAT(refused("a.flac"), HasSubstr("a.flac: is neither WAV, FLAC nor Ogg"));
  write_sound(here_ / "a.wav", wav, 8000, 1, {});
  EXPECT_THAT(refused("a.wav"), HasSubstr("a.wav: holds no sound"));
  write_sound(here_ / "a.wav", float_wav, 8000, 1, {0, NAN});
  EXPECT_THAT(refused("a.wav"), HasSubstr("a.wav: holds a sample that is no number"));
  write_sound(here_ / "a.wav", wav, 10, 1, {0, 0});
  EXPECT_THAT(refused("a.wav"), HasSubstr("has 10 samples in a second, too far from 8000"));
}

TEST_F(AudioFile, TruncatedAndCorruptFilesAreRefused) {
  for (const auto& [name, format] : {std::pair{"a.wav", wav}, {"a.flac", flac}, {"a.ogg", ogg}}) {
    SCOPED_TRACE(name);
    std::vector<float> samples = tone(440, 0.5, 44100, 2);
    for (size_t i = 0; i < samples.size(); ++i)  // noise, so that no part is short
      samples[i] += 0.1F * std::sin(static_cast<float>(i * i % 1009));
    write_sound(here_ / name, format, 44100, 1, samples);
    const std::string whole = read_text(here_ / name);
    ASSERT_EQ(refused(name), "");
    for (const size_t size :
         {size_t{4}, size_t{13}, size_t{60}, whole.size() / 2, whole.size() - 60}) {
      write_text(here_ / name, whole.substr(0, size));
      EXPECT_THAT(refused(name), HasSubstr(std::string(name) + ": is ")) << size;
    }
    std::string hurt = whole;
    for (size_t i = 0; i < 400; ++i) hurt[whole.size() / 2 + i] = static_cast<char>(i * 37);
    write_text(here_ / name, hurt);
    // A WAV file has no checksum.
    EXPECT_THAT(refused(name), HasSubstr(format == wav ? "" : "is truncated or corrupt"));
    for (size_t at = 0; at < 100; ++at) {  // refused or read, but no harm done
      hurt = whole;
      hurt[at] = static_cast<char>(hurt[at] ^ 0x7f);
      write_text(here_ / name, hurt);
      refused(name, 0.01);
    }
  }
}

TEST_F(AudioFile, LengthsThatAreOnlyPromisedAreBounded) {
  write_sound(here_ / "a.flac", flac, 8000, 1, tone(440, 0.5, 8000, 1));
  std::string huge = read_text(here_ / "a.flac");
  for (size_t at = 22; at < 26; ++at) huge[at] = '\x7f';  // the number of samples, in STREAMINFO
  write_text(here_ / "a.flac", huge);
  EXPECT_THAT(refused("a.flac", INFINITY), HasSubstr("a.flac: has more than 2^27 samples"));
}

// By torch.stft(x, 64, 50, window=torch.hann_window(64), pad_mode='constant'), its power times the
// triangles of the HTK scale, in float64.
TEST_F(AudioFile, LogMelIsWhatTorchComputes) {
  const AudioForm form{.rate = 1000, .seconds = 0.24, .window = 64, .hop = 50, .mels = 5};
  std::vector<float> samples;
  for (int i = 0; i < 200; ++i)
    samples.push_back(static_cast<float>(0.6 * std::sin(0.3 * i) + 0.3 * std::cos(0.0031 * i * i)));
  const std::vector<float> expected{4.25880F, 0.29002F,  -1.57073F,  -2.23078F,  -2.52868F,   //
                                    5.24211F, -1.20586F, -10.82705F, -13.56783F, -13.79142F,  //
                                    4.81711F, 2.75987F,  -4.67043F,  -11.90219F, -13.58253F,  //
                                    4.61400F, 3.36328F,  1.62149F,   -8.49024F,  -12.72006F,  //
                                    3.70923F, 2.14478F,  2.43708F,   -0.46635F,  -1.45493F};
  EXPECT_EQ(form.frames(), 5);
  EXPECT_THAT(log_mel(samples, form), testing::Pointwise(testing::FloatNear(1e-4F), expected));
  for (int i = 0; i < 40; ++i) samples.push_back(0);
  for (int i = 0; i < 40; ++i) samples.push_back(1);  // behind `seconds`
  EXPECT_THAT(log_mel(samples, form), testing::Pointwise(testing::FloatNear(1e-4F), expected));
}

class AudioFolder : public AudioFile {
 protected:
  LoneNode::Params folder(int64_t batch) const {
    return {{"folder", std::vector{here_.path().string()}},
            {"batch", batch},
            {"rate", int64_t{8000}},
            {"seconds", 0.1},
            {"mels", int64_t{20}}};
  }
  std::string complaint(LoneNode::Params params) const {
    try {
      LoneNode node("audio", params);
      node.infer();
      node.forward(0, 1);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(AudioFolder, HoldsSpectrogramsAndClasses) {
  write_sound(here_ / "low/a.wav", wav, 8000, 1, tone(400, 0.5, 8000, 0.2));
  write_sound(here_ / "high/b.FLAC", flac, 16000, 1, tone(3000, 0.5, 16000, 0.05));
  write_text(here_ / "high/readme.txt", "no sound");
  LoneNode node("audio", folder(2));
  node.infer();
  node.forward(0, 2);
  EXPECT_EQ(node.out("spectrogram").shape(), Shape({2, 5, 20}));  // 800 samples, 160 a frame
  EXPECT_THAT(node.ints("label"), ElementsAre(0, 1));             // high, low
  const auto bands = node.floats("spectrogram");
  const auto loudest = [&](int64_t frame) {
    const auto begin = bands.begin() + frame * 20;
    return std::max_element(begin, begin + 20) - begin;
  };
  EXPECT_EQ(loudest(1), 17);                        // which peaks at 2882 Hz, the next at 3222
  EXPECT_EQ(loudest(6), 4);                         // at 400 Hz
  EXPECT_FLOAT_EQ(bands[4 * 20], std::log(1e-6F));  // 50 ms of silence behind it
  EXPECT_GT(bands[9 * 20 + 4], 0);
  const auto first = bands;
  node.forward(1, 2);  // from memory
  EXPECT_EQ(node.floats("spectrogram"), first);
}

TEST_F(AudioFolder, AFileWithoutSamplesIsFoundBeforeTheFirstStep) {
  write_sound(here_ / "a.wav", wav, 8000, 1, tone(400, 0.5, 8000, 0.2));
  for (const auto& [name, format] : {std::pair{"b.wav", wav}, {"b.flac", flac}}) {
    write_sound(here_ / name, format, 8000, 1, {});
    EXPECT_THAT(complaint(folder(1)), HasSubstr(std::string(name) + ": "));  // it reads a.wav only
    std::filesystem::remove(here_ / name);
  }
  write_sound(here_ / "b.wav", wav, 8000, 1, {});
  auto params = folder(1);
  params["bad_files"] = std::string("skip");
  params["bad_share"] = 0.5;
  LoneNode node("audio", params);
  node.infer();
  EXPECT_THAT(node.node().notes(), ElementsAre(HasSubstr("b.wav: holds no sound")));
}

TEST_F(AudioFolder, MistakesAreSentences) {
  EXPECT_THAT(complaint(folder(1)), HasSubstr("holds no audio file (.wav, .flac, .ogg)"));
  write_sound(here_ / "a.wav", wav, 8000, 1, tone(400, 0.5, 8000, 0.2));
  const auto with = [&](const std::string& name, ParamValue value) {
    auto params = folder(1);
    params[name] = std::move(value);
    return complaint(params);
  };
  EXPECT_THAT(with("window", int64_t{399}), HasSubstr("`window` must be even"));
  EXPECT_THAT(with("mels", int64_t{200}), HasSubstr("`mels` is too many for this `window`"));
  EXPECT_THAT(with("seconds", 1e-9), HasSubstr("`seconds` must hold one sample"));
  EXPECT_THAT(with("group", std::string("(")), HasSubstr("`group` is no regular expression"));
  auto params = folder(1);
  params["seconds"] = 3600.0;
  params["hop"] = int64_t{1};
  EXPECT_THAT(complaint(params), HasSubstr("28800000 × 20 numbers, more than 2^26"));
  write_text(here_ / "a.wav", "RIFF");
  EXPECT_THAT(complaint(folder(1)), HasSubstr("a.wav: is "));
}

}  // namespace
}  // namespace weft::tests

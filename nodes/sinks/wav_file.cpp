#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "framework/formats/audio.h"
#include "framework/node/plugin.h"
#include "framework/node/sink.h"

namespace weft {
namespace {

class WavFile final : public Sink {
  In x{this, "x", "Sounds, [batch, samples]; what is beyond [-1, 1] is clipped.", {.grad = false}};
  Param<std::string> path{
      this, "path",
      "The file; each sound puts its number before `.`: clip-0000.wav. Also .flac, of 16 bits as "
      ".wav, or .ogg, in which Vorbis loses a little and no two files have the same bytes.",
      required};
  Param<int64_t> rate{this, "rate", "Samples in a second.", 16'000, within(1'000, 192'000)};

  int64_t clipped_ = 0;  // sounds of this pass that were
  std::vector<std::string> notes_;

  void infer() override {
    const bool known = is_audio_file(*path);
    check_output(*path, known ? std::filesystem::path(*path).extension() : ".wav, .flac or .ogg");
    if (x.shape().rank() != 2 || x.row_size() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, samples]");
    encode_audio({}, *rate, *path);
  }

  std::vector<std::string> notes() const override { return notes_; }

  void forward(const Step& step) override {
    for (int64_t row = 0; row < std::min(step.rows, x.rows()); ++row) {
      const std::span sound(x.data() + row * x.row_size(), static_cast<size_t>(x.row_size()));
      clipped_ += !std::ranges::all_of(sound, [](float s) { return std::abs(s) <= 1; });
      write(numbered(*path, step.number * x.rows() + row),
            encode_audio(sound, *rate, *path, made_by()));
    }
  }

  void finish() override {
    notes_.clear();
    if (clipped_ > 0)
      notes_ = {std::to_string(clipped_) + " of the sounds went beyond [-1, 1] and are clipped"};
    clipped_ = 0;
  }
};

WEFT_NODE(WavFile, "wav_file", "Writes each sound as a file: WAV, FLAC or Ogg.",
          "{x: [3, 40], path: clip.wav, rate: 8000}")

}  // namespace
}  // namespace weft

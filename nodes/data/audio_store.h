// Stores of audio files, as log-mel spectrograms and as waves of one form.
#pragma once

#include <algorithm>

#include "framework/formats/audio.h"
#include "framework/formats/spectrogram.h"
#include "nodes/data/file_store.h"

namespace weft {

class WaveStore final : public FileStore<float> {
 public:
  WaveStore(std::vector<FilePart> files, const AudioForm& form)
      : FileStore(std::move(files)), form_(form) {}

  // Copies the samples of a file, [samples].
  void read(size_t file, float* out) const {
    with(file, [&](const float* samples) { std::copy_n(samples, form_.samples(), out); });
  }

 private:
  std::vector<float> decode(const FilePart& file) const override {
    std::vector<float> samples = read_audio(file, form_.rate, form_.seconds);
    samples.resize(static_cast<size_t>(form_.samples()));
    return samples;
  }

  AudioForm form_;
};

class AudioStore final : public FileStore<float> {
 public:
  using Form = AudioForm;
  static constexpr FileKind kind{"audio", "sounds", ".wav, .flac, .ogg", is_audio_file};

  AudioStore(const std::vector<FilePart>& files, const AudioForm& form)
      : FileStore(files), form_(form), waves_(files, form) {}

  // Copies the spectrogram of a file, [frames, mels].
  void read(size_t file, float* out) const {
    with(file, [&](const float* frames) { std::copy_n(frames, form_.frames() * form_.mels, out); });
  }
  const WaveStore& waves() const { return waves_; }

  // A file without samples is small: only the headers of small files are read.
  void glance(size_t file) const override {
    constexpr uintmax_t small = 1 << 14;
    const FilePart& part = files()[file];
    std::error_code missing;
    const uintmax_t bytes = part.member.empty() ? std::filesystem::file_size(part.file, missing)
                                                : static_cast<uintmax_t>(part.size);
    if (bytes < small || missing) check_audio(part);
  }

 private:
  std::vector<float> decode(const FilePart& file) const override {
    return log_mel(read_audio(file, form_.rate, form_.seconds), form_);
  }

  AudioForm form_;
  WaveStore waves_;
};

}  // namespace weft

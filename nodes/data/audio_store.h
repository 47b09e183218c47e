// Stores of audio files, as log-mel spectrograms and as waves of one form.
#pragma once

#include <algorithm>
#include <span>

#include "framework/formats/audio.h"
#include "framework/formats/spectrogram.h"
#include "nodes/data/file_store.h"

namespace weft {

// The waves of audio files, each [samples].
class WaveStore final : public FileStore<float> {
 public:
  WaveStore(std::vector<FilePart> files, const AudioForm& form)
      : FileStore(std::move(files)), form_(form) {}

  using FileStore::with;

 private:
  std::vector<float> decode(size_t file) const override {
    std::vector<float> samples = read_audio(files()[file], form_.rate, form_.seconds);
    samples.resize(static_cast<size_t>(form_.samples()));
    return samples;
  }

  AudioForm form_;
};

// The waves of audio files, and their spectrograms, each [frames, mels]. A file is decoded and
// brought to its rate once, whichever of the two are read.
class AudioStore final : public FileStore<float> {
 public:
  using Form = AudioForm;
  static constexpr FileKind kind{"audio", "sounds", ".wav, .flac, .ogg", is_audio_file};

  AudioStore(const std::vector<FilePart>& files, const AudioForm& form)
      : FileStore(files), form_(form), waves_(files, form) {}

  // Copies the spectrogram and the wave of a file; null is not wanted, the same for all files.
  void read(size_t file, float* spectrogram, float* wave) const {
    const auto copy = [&](const float* frames) {
      std::copy_n(frames, form_.frames() * form_.mels, spectrogram);
    };
    if (!wave) return spectrogram ? with(file, copy) : void();
    waves_.with(file, [&](const float* samples) {
      const std::span all(samples, static_cast<size_t>(form_.samples()));
      std::ranges::copy(all, wave);
      if (spectrogram) with(file, copy, [&] { return log_mel(all, form_); });
    });
  }

  std::string complaint(size_t file) const { return waves_.complaint(file); }

  // A file without samples is small: only the headers of small files are read.
  void glance(size_t file) const override {
    constexpr uintmax_t small = 1 << 12;
    const FilePart& part = files()[file];
    std::error_code missing;
    const uintmax_t bytes = part.member.empty() ? std::filesystem::file_size(part.file, missing)
                                                : static_cast<uintmax_t>(part.size);
    if (bytes < small || missing) check_audio(part);
  }

 private:
  std::vector<float> decode(size_t file) const override {
    return log_mel(waves_.take(file), form_);
  }

  AudioForm form_;
  WaveStore waves_;
};

}  // namespace weft

// A store of audio files as log-mel spectrograms of one form.
#pragma once

#include <algorithm>

#include "framework/formats/audio.h"
#include "nodes/data/file_store.h"

namespace weft {

class AudioStore final : public FileStore<float> {
 public:
  using Form = AudioForm;
  static constexpr FileKind kind{"audio", ".wav, .flac, .ogg", is_audio_file};

  AudioStore(std::vector<FilePart> files, const AudioForm& form)
      : FileStore(std::move(files)), form_(form) {}

  // Copies the spectrogram of a file, [frames, mels].
  void read(size_t file, float* out) const {
    with(file, [&](const float* frames) { std::copy_n(frames, form_.frames() * form_.mels, out); });
  }

 private:
  std::vector<float> decode(const FilePart& file) const override {
    return log_mel(read_audio(file, form_.rate, form_.seconds), form_);
  }

  AudioForm form_;
};

}  // namespace weft

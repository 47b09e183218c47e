// Audio files as log-mel spectrograms of one form.
#pragma once

#include <algorithm>

#include "nodes/data/audio_file.h"
#include "nodes/data/file_store.h"

namespace weft {

class AudioStore : public FileStore<float> {
 public:
  using Form = AudioForm;
  static constexpr FileKind kind{"audio", ".wav, .flac, .ogg", is_audio_file};

  AudioStore(std::vector<std::filesystem::path> files, const AudioForm& form)
      : FileStore(std::move(files)), form_(form) {}

  // [frames, mels]
  void read(size_t file, float* out) {
    with(
        file,
        [&](const auto& path) {
          return log_mel(read_audio(path, form_.rate, form_.seconds), form_);
        },
        [&](const float* frames) { std::copy_n(frames, form_.frames() * form_.mels, out); });
  }

 private:
  AudioForm form_;
};

}  // namespace weft

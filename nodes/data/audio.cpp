#include "framework/node/plugin.h"
#include "framework/node/source.h"
#include "nodes/data/audio_params.h"
#include "nodes/data/audio_store.h"
#include "nodes/data/folder_files.h"

namespace weft {
namespace {

class Audio final : public Source {
  Out spectrogram{this, "spectrogram",
                  "[batch, frames, mels]: ln(power + 1e-6) of each band; seconds · rate / hop "
                  "frames, rounded up."};
  Out wave{this, "wave", "[batch, seconds · rate]: the samples, in [-1, 1]."};
  Out label{this, "label",
            "The number of the file's class among all, by name (see the param); else -1.",
            DType::i32};
  FolderSamples<AudioStore> files{
      this, label,
      "Where the sounds are: a folder, or several as one set; also those of fetched data sets "
      "(`stamps/stamps`)."};
  AudioParams form{this};

  int64_t open() override {
    const auto its = form.form();
    spectrogram.shape({*batch, its.frames(), its.mels});
    wave.shape({*batch, its.samples()});
    label.shape({*batch});
    return files.open(its);
  }

  std::vector<std::string> notes() const override { return files.notes; }

  void load(int64_t sample, const Row& row) const override {
    const size_t file = files.file(sample);
    files.store->read(file, spectrogram.wanted() ? row[spectrogram] : nullptr,
                      wave.wanted() ? row[wave] : nullptr);
    *row.ints(label) = files.classes[file];
  }
};

WEFT_NODE(Audio, "audio",
          "The WAV, FLAC and Ogg files of folders and their sub-folders, as waves and log-mel "
          "spectrograms.",
          "{folder: stamps/stamps, seconds: 2, mels: 64, split: train, batch: 64}")

}  // namespace
}  // namespace weft

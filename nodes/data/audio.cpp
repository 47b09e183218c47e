#include <optional>

#include "framework/node/plugin.h"
#include "framework/node/source.h"
#include "nodes/data/audio_params.h"
#include "nodes/data/audio_store.h"
#include "nodes/data/bad_files.h"
#include "nodes/data/classes.h"
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
  Param<std::string> folder{
      this, "folder", "Where the sounds are, or a folder of a fetched data set (`stamps/stamps`).",
      required};
  AudioParams form{this};
  FolderParams part{this};
  BadFilesParams bad{this};
  Classes classes_{this, label};

  std::optional<FolderFiles<AudioStore>> sounds_;
  std::vector<size_t> chosen_;
  std::vector<std::string> notes_;

  int64_t open() override {
    const AudioForm its = form.form();
    sounds_.emplace(*folder, its, part.match);
    chosen_ = part.choose(*sounds_);
    notes_ = bad.leave_out(chosen_, [&](size_t file) { return sounds_->store.complaint(file); });
    spectrogram.shape({*batch, its.frames(), its.mels});
    wave.shape({*batch, its.samples()});
    label.shape({*batch});
    classes_.open(part.classes_of("sounds"), sounds_->size(), chosen_,
                  [&, pattern = expression(part.label)](size_t file) {
                    return part.class_of(sounds_->inner(file), pattern);
                  });
    return std::ssize(chosen_);
  }

  std::vector<std::string> notes() const override { return notes_; }

  void load(int64_t sample, const Row& row) const override {
    const size_t file = chosen_[static_cast<size_t>(sample)];
    if (spectrogram.wanted()) sounds_->store.read(file, row[spectrogram]);
    if (wave.wanted()) sounds_->store.waves().read(file, row[wave]);
    *row.ints(label) = classes_[file];
  }
};

WEFT_NODE(Audio, "audio",
          "The WAV, FLAC and Ogg files of a folder and its sub-folders, as waves and log-mel "
          "spectrograms.",
          "{folder: stamps/stamps, seconds: 2, mels: 64, split: train, batch: 64}")

}  // namespace
}  // namespace weft

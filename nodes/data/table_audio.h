// The sound that a table's rows name, as outputs.
#pragma once

#include <optional>
#include <string>

#include "framework/node/source.h"
#include "nodes/data/audio_params.h"
#include "nodes/data/audio_store.h"
#include "nodes/data/table_rows.h"

namespace weft {

struct TableAudio {
  Source* owner;
  Out spectrogram{owner, "spectrogram",
                  "[batch, frames, mels]: the logarithm of the power in each band, see `audio`; "
                  "[batch, 0] without `audio`."};
  Out wave{owner, "wave", "[batch, samples], in [-1, 1]; [batch, 0] without `audio`."};
  Param<std::string> column{owner, "audio", "The column that names an audio file.", ""};
  AudioParams form{owner};
  std::optional<AudioStore> store{};

  Columns columns() const { return column->empty() ? Columns{} : Columns{*column}; }

  void open(const TableRows& rows) {
    spectrogram.shape({*owner->batch, 0});
    wave.shape({*owner->batch, 0});
    if (column->empty()) return;
    const AudioForm its = form.form();
    store.emplace(rows.files(*column), its);
    spectrogram.shape({*owner->batch, its.frames(), its.mels});
    wave.shape({*owner->batch, its.samples()});
  }

  void glance(size_t from) const {
    if (store) store->glance(from);
  }
  std::string complaint(size_t from) const { return store ? store->complaint(from) : ""; }

  void load(size_t from, const Row& row) const {
    if (!store) return;
    store->read(from, spectrogram.wanted() ? row[spectrogram] : nullptr,
                wave.wanted() ? row[wave] : nullptr);
  }
};

}  // namespace weft

// The sound of a table's row.
#pragma once

#include <memory>
#include <string>
#include <tuple>

#include "nodes/data/audio_params.h"
#include "nodes/data/audio_store.h"
#include "nodes/data/shared.h"
#include "nodes/data/table_rows.h"

namespace weft {

struct TableAudio {
  Source* owner;
  Out spectrogram{owner, "spectrogram",
                  "[batch, frames, mels]: the logarithm of the power in each band, see `audio`; "
                  "[batch, 0] without `audio`."};
  Param<std::string> column{owner, "audio", "The column that names an audio file.", ""};
  AudioParams form{owner};
  std::shared_ptr<AudioStore> store{};

  Columns columns() const { return column->empty() ? Columns{} : Columns{*column}; }

  void open(const TableRows& rows) {
    spectrogram.shape({*owner->batch, 0});
    if (column->empty()) return;
    const AudioForm its = form.form();
    store = shared<AudioStore>(std::tuple(rows.query, *column, its), [&] {
      return std::make_shared<AudioStore>(rows.files(*column), its);
    });
    spectrogram.shape({*owner->batch, its.frames(), its.mels});
  }

  std::string complaint(size_t from) const { return store ? store->complaint(from) : ""; }

  void load(size_t from, int64_t row) {
    if (store) store->read(from, spectrogram.data() + row * spectrogram.row_size());
  }
};

}  // namespace weft

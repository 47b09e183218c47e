#include <optional>

#include "framework/node/plugin.h"
#include "framework/node/source.h"
#include "framework/node/split.h"
#include "nodes/data/bad_files.h"
#include "nodes/data/limit.h"
#include "nodes/data/table_audio.h"
#include "nodes/data/table_image.h"
#include "nodes/data/table_label.h"
#include "nodes/data/table_numbers.h"
#include "nodes/data/table_rows.h"
#include "nodes/data/table_words.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

class TableSource final : public Source {
  Param<std::string> file{
      this, "file",
      "A .csv, .tsv, .json (a list of objects) or .jsonl file, here or below the data folder. Or "
      "samples as WebDataset has them, in a folder or a .tar archive: files that are called alike "
      "up to an ending are one row, and endings (`.png`, `_en.ogg`) name columns, which hold the "
      "files, but of .txt and .cls files the first lines. `path` is the folder that a sample is "
      "in, `folder` the first one of the path, `name` what its files are called.",
      ""};
  Param<std::vector<std::string>> lines{
      this, "lines",
      "Texts, such as prompts, instead of a file: a row for each, read as the first column of "
      "`text`.",
      std::vector<std::string>{}};
  Param<std::string> key{
      this, "key",
      "Of samples: each file with this ending is one. Else it is `image`, else `audio`.", "",
      chooses_samples()};
  Param<std::string> folder{this, "folder",
                            "Of the files that cells name, from the table's own folder.", ""};
  TableImage image{this};
  TableAudio audio{this};
  TableLabel label{this};
  TableNumbers numbers{this};
  TableWords words{this};
  SplitParams side{this};
  Param<std::string> group{
      this, "group", "The column by which rows stay on one side of a split; else each row alone.",
      "", chooses_samples()};
  Limit limit{this};
  Param<Missing> missing{this, "missing",
                         "Rows with an empty cell for image, audio, label or a number, or without "
                         "any text, if asked for: refuse the table, or leave them out.",
                         Missing::refuse, chooses_samples()};
  BadFilesParams bad{this};

  std::optional<TableRows> rows_;
  std::vector<size_t> chosen_;
  std::vector<std::string> notes_;

  // `lines` as a table.
  Table given() const {
    const Columns& columns = *words.words.columns;
    if (columns.empty())
      throw Error("`lines` are read as the first column of `text`, which is not given");
    Table table{columns, {}};
    for (const std::string& line : *lines) {
      table.rows.emplace_back(columns.size());
      table.rows.back().front() = line;
    }
    return table;
  }

  TableQuery query() const {
    TableQuery query{.missing = *missing};
    for (const Columns& need : {image.columns(), audio.columns(), label.columns(),
                                *words.words.columns, *words.target.columns})
      if (!need.empty()) query.needs.push_back(need);
    for (const std::string& column : *numbers.columns) query.needs.push_back({column});
    if (!group->empty()) query.others = {*group};
    check_origin(*file, *lines);
    if (!lines->empty()) {
      if (!folder->empty()) throw Error("`folder` is of tables whose cells name files");
      query.table = "lines";
      return query;
    }
    query.table = fs::weakly_canonical(find_data(*file));
    if (!SampleFiles::holds_samples(query.table)) {
      if (!key->empty()) throw Error("`key` is of samples in a folder or .tar archive");
      query.files = fs::weakly_canonical(query.table.parent_path() / *folder);
      return query;
    }
    if (!folder->empty()) throw Error("`folder` is of tables whose cells name files");
    query.key = !key->empty() ? *key : !image.column->empty() ? *image.column : *audio.column;
    if (query.key.empty())
      throw Error("`key` must say how the files end of which each is a sample, such as .txt");
    return query;
  }

  int64_t open() override {
    rows_.emplace(query(), lines->empty() ? std::nullopt : std::optional(given()));
    image.open(*rows_);
    audio.open(*rows_);
    words.open(*rows_);
    choose();
    label.open(*rows_, chosen_);
    limit.cut(chosen_);
    notes_ = rows_->notes();
    for (const std::string& note : words.notes()) notes_.push_back(note);
    const auto complaint = [&](size_t row) {
      const std::string its = image.complaint(row);
      return its.empty() ? audio.complaint(row) : its;
    };
    const auto glance = [&](size_t row) { audio.glance(row); };
    for (const std::string& note : bad.leave_out(chosen_, complaint, glance))
      notes_.push_back(note);
    label.classes.check(chosen_);
    numbers.open(*rows_, chosen_);
    return std::ssize(chosen_);
  }

  void choose() {
    const size_t by = group->empty() ? 0 : rows_->column(*group);
    chosen_.clear();
    for (size_t i = 0; i < rows_->size(); ++i)
      if (side.wants(group->empty() ? std::to_string(i) : rows_->cell(i, by))) chosen_.push_back(i);
  }

  std::vector<std::string> notes() const override { return notes_; }

  void load(int64_t sample, const Row& row) const override {
    const size_t from = chosen_[static_cast<size_t>(sample)];
    image.load(from, row);
    audio.load(from, row);
    label.load(from, row);
    numbers.load(from, row);
    words.load(from, row);
  }
};

WEFT_NODE(TableSource, "table", "Rows of a table: an image, a sound, a class, numbers, words.",
          "{file: emoji/emoji.json, image: image, folder: google, size: 32, label: category, text: "
          "name, target: short_names, numbers: [sheet_x, sheet_y], standardise: true, batch: 64}")

}  // namespace
}  // namespace weft

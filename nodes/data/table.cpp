#include <memory>
#include <set>
#include <tuple>

#include "framework/node/plugin.h"
#include "nodes/data/image_params.h"
#include "nodes/data/image_store.h"
#include "nodes/data/shared.h"
#include "nodes/data/table_file.h"
#include "nodes/data/words.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

class TableSource final : public Source {
  Out image{this, "image", "[batch, height, width, channels]; [batch, 0] without `image`."};
  Out label{this, "label", "The class of each row, [batch]; -1 without `label`.", DType::i32};
  Out words{
      this, "words",
      "The places of its words in the vocabulary, [batch, length]; -1 behind the last, 0 for a "
      "word that is not known.",
      DType::i32};
  Param<std::string> file{
      this, "file",
      "A .csv, .tsv, .json (a list of objects) or .jsonl file, here or below the data folder.",
      required};
  Param<std::string> image_column{this, "image", "The column that names an image file.", ""};
  Param<std::string> folder{this, "folder", "Of the image files, from the table's own folder.",
                            "."};
  ImageParams form{this};
  Param<std::string> label_column{
      this, "label", "The column whose different texts, in order, are the classes.", ""};
  Param<std::vector<std::string>> text{this, "text",
                                       "The columns whose words are read, one after the other.",
                                       std::vector<std::string>{}};
  Param<int64_t> vocabulary{this, "vocabulary",
                            "How many words are known: the most frequent of the whole table.", 1024,
                            within(2, 1 << 24)};
  Param<int64_t> length{this, "length", "Words of a row that are read.", 16, within(1, 1 << 16)};
  SplitParams side{this};
  Param<std::string> group{
      this, "group", "The column by which rows stay on one side of a split; else each row alone.",
      ""};
  Param<int64_t> limit{this, "limit", "Only the first rows; 0 is all.", 0, at_least(0)};

  std::shared_ptr<Table> table_;
  std::shared_ptr<ImageStore> images_;
  std::vector<size_t> chosen_;
  std::vector<int32_t> labels_;               // of all rows
  std::vector<std::vector<int32_t>> places_;  // of the words of all rows

  const std::string& cell(size_t row, size_t column) const { return table_->rows[row][column]; }
  size_t count() const { return table_->rows.size(); }

  int64_t open() override {
    const fs::path path = find_data(*file);
    table_ = shared<Table>(fs::weakly_canonical(path),
                           [&] { return std::make_shared<Table>(read_table(path)); });
    open_images(path);
    open_labels();
    open_words();
    const size_t by = group->empty() ? 0 : table_->column(*group);
    chosen_.clear();
    for (size_t i = 0; i < count(); ++i)
      if (side.wants(group->empty() ? std::to_string(i) : cell(i, by))) chosen_.push_back(i);
    if (*limit > 0 && std::ssize(chosen_) > *limit) chosen_.resize(static_cast<size_t>(*limit));
    return std::ssize(chosen_);
  }

  void open_images(const fs::path& path) {
    image.shape({*batch, 0});
    if (image_column->empty()) return;
    const ImageForm its = form.form();
    const size_t column = table_->column(*image_column);
    const fs::path where = path.parent_path() / *folder;
    images_ = shared<ImageStore>(
        std::tuple(fs::weakly_canonical(path), fs::weakly_canonical(where), column, its), [&] {
          std::vector<fs::path> files;
          for (const auto& row : table_->rows) files.push_back(where / row[column]);
          return std::make_shared<ImageStore>(std::move(files), its);
        });
    image.shape({*batch, its.height, its.width, its.channels});
  }

  void open_labels() {
    label.shape({*batch});
    labels_.assign(count(), -1);
    if (label_column->empty()) return;
    const size_t column = table_->column(*label_column);
    std::set<std::string> classes;
    for (size_t i = 0; i < count(); ++i) classes.insert(cell(i, column));
    for (size_t i = 0; i < count(); ++i)
      labels_[i] =
          static_cast<int32_t>(std::distance(classes.begin(), classes.find(cell(i, column))));
  }

  void open_words() {
    words.shape({*batch, text->empty() ? 0 : *length});
    if (text->empty()) return;
    std::vector<size_t> columns;
    for (const std::string& name : *text) columns.push_back(table_->column(name));
    const auto whole = [&](size_t row) {
      std::string all;
      for (const size_t column : columns) all += cell(row, column) + " ";
      return all;
    };
    Vocabulary known;
    for (size_t i = 0; i < count(); ++i) known.count(whole(i));
    known.keep(static_cast<size_t>(*vocabulary));
    places_.clear();
    for (size_t i = 0; i < count(); ++i) places_.push_back(known.places(whole(i)));
  }

  void load(int64_t sample, int64_t row) override {
    const size_t from = chosen_[static_cast<size_t>(sample)];
    label.ints()[row] = labels_[from];
    if (images_) images_->read(from, image.data() + row * image.row_size(), *form.range);
    for (int64_t i = 0; i < words.row_size(); ++i) {
      const auto at = static_cast<size_t>(i);
      words.ints()[row * words.row_size() + i] = at < places_[from].size() ? places_[from][at] : -1;
    }
  }
};

WEFT_NODE(TableSource, "table", "Rows of a table: an image, a class, words.",
          "{file: emoji/emoji.json, image: image, folder: google, size: 32, label: category, text: "
          "name, batch: 64}")

}  // namespace
}  // namespace weft

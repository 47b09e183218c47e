#include <optional>

#include "framework/node/plugin.h"
#include "framework/node/source.h"
#include "nodes/data/bad_files.h"
#include "nodes/data/classes.h"
#include "nodes/data/folder_files.h"
#include "nodes/data/image_params.h"
#include "nodes/data/image_store.h"

namespace weft {
namespace {

class Images final : public Source {
  Out image{this, "image", "[batch, height, width, channels]"};
  Out label{this, "label",
            "The number of the image's class among all, by name (see the param); else -1.",
            DType::i32};
  Param<std::string> folder{
      this, "folder", "Where the images are, or a folder of a fetched data set (`emoji/google`).",
      required};
  ImageParams form{this};
  FolderParams part{this};
  BadFilesParams bad{this};
  Classes classes_{this, label};

  std::optional<FolderFiles<ImageStore>> images_;
  std::vector<size_t> chosen_;
  std::vector<std::string> notes_;

  int64_t open() override {
    const ImageForm its = form.form();
    images_.emplace(*folder, its, part.match);
    chosen_ = part.choose(*images_);
    notes_ = bad.leave_out(chosen_, [&](size_t file) { return images_->store.complaint(file); });
    image.shape({*batch, its.height, its.width, its.channels});
    label.shape({*batch});
    classes_.open(part.classes_of("images"), images_->size(), chosen_,
                  [&, pattern = expression(part.label)](size_t file) {
                    return part.class_of(images_->inner(file), pattern);
                  });
    return std::ssize(chosen_);
  }

  std::vector<std::string> notes() const override { return notes_; }

  void load(int64_t sample, const Row& row) const override {
    const size_t file = chosen_[static_cast<size_t>(sample)];
    if (image.wanted()) images_->store.read(file, row[image], *form.range);
    *row.ints(label) = classes_[file];
  }
};

WEFT_NODE(Images, "images", "The PNG and JPEG files of a folder and its sub-folders.",
          "{folder: emoji/google, size: 32, split: train, batch: 64}")

}  // namespace
}  // namespace weft

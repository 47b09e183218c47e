#include "framework/node/plugin.h"
#include "framework/node/source.h"
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
  FolderSamples<ImageStore> files{
      this, label,
      "Where the images are: a folder, or several as one set; also those of fetched data sets "
      "(`emoji/google`)."};
  ImageParams form{this};

  int64_t open() override {
    const auto its = form.form();
    image.shape({*batch, its.height, its.width, its.channels});
    label.shape({*batch});
    return files.open(its);
  }

  std::vector<std::string> notes() const override { return files.notes; }

  void load(int64_t sample, const Row& row) const override {
    const size_t file = files.file(sample);
    if (image.wanted()) files.store->read(file, row[image], *form.range);
    *row.ints(label) = files.classes[file];
  }
};

WEFT_NODE(Images, "images", "The PNG and JPEG files of folders and their sub-folders.",
          "{folder: emoji/google, size: 32, split: train, batch: 64}")

}  // namespace
}  // namespace weft

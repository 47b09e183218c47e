#include "framework/node/plugin.h"
#include "framework/node/split.h"
#include "nodes/data/idx_source.h"

namespace weft {
namespace {

// Images and labels in the file format of LeCun, Cortes & Burges, "The MNIST database of
// handwritten digits", 1998.
class Idx final : public IdxSource {
  Param<std::string> images{this, "images",
                            "An idx file of images, [n, pixels], [n, height, width] or "
                            "[n, height, width, channels] unsigned bytes; gzip is read too.",
                            required};
  Param<std::string> labels{this, "labels", "An idx file of labels, [n] unsigned bytes.", ""};
  SplitParams side{this};  // each image is a group, by its number

  int64_t open() override {
    std::optional<std::filesystem::path> of_labels;
    if (!labels->empty()) of_labels = find_data(*labels);
    return open_files(find_data(*images), of_labels,
                      [this](int64_t i) { return side.wants(std::to_string(i)); });
  }
};

WEFT_NODE(Idx, "idx", "Images and labels of idx files, the format of MNIST.",
          "{images: tiny_idx/train-images-idx3-ubyte, labels: tiny_idx/train-labels-idx1-ubyte, "
          "batch: 4}")

}  // namespace
}  // namespace weft

#include "framework/node/plugin.h"
#include "framework/node/split.h"
#include "nodes/data/idx_source.h"

namespace weft {
namespace {

enum class Part { train, validate, test };
std::vector<std::string> names(Part) {
  return {"train", "validate", "test"};
}

// The data set of Xiao, Rasul & Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking
// machine learning algorithms", 2017, arXiv:1708.07747: 60,000 and 10,000 images of 28 × 28 gray
// pixels. The labels are t-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag,
// ankle boot.
class FashionMnist final : public IdxSource {
  Param<Part> split{this, "split",
                    "The 60,000 training images, less those of `validate_share`; those; or the "
                    "10,000 test images.",
                    Part::train, chooses_samples()};
  Param<double> validate_share{this, "validate_share",
                               "The share of the training images that validate, by a hash of their "
                               "number.",
                               0, chooses_samples(within(0, 1))};

  int64_t open() override {
    if (*split == Part::validate && *validate_share == 0)
      throw Error("`split: validate` needs a `validate_share`");
    const std::string prefix = *split == Part::test ? "t10k" : "train";
    const std::string images = prefix + "-images-idx3-ubyte",
                      labels = prefix + "-labels-idx1-ubyte";
    const std::filesystem::path fetched = data_dir() / "fashion_mnist";
    const std::filesystem::path packaged = "/usr/share/datasets/fashion-mnist";  // Debian's package
    const auto wants = [this](int64_t i) {
      return *split == Part::test ||
             (hashed(std::to_string(i)) < *validate_share) == (*split == Part::validate);
    };
    std::error_code ignored, denied;
    if (std::filesystem::exists(fetched / images, denied))
      return open_files(fetched / images, fetched / labels, wants);
    if (std::filesystem::exists(packaged / (images + ".gz"), ignored))
      return open_files(packaged / (images + ".gz"), packaged / (labels + ".gz"), wants);
    if (denied)
      throw Error(Exit::data, "cannot look into " + fetched.string() + ": " + denied.message());
    throw Error(Exit::data, "Fashion-MNIST is not in " + fetched.string() +
                                ": run `weft data fetch fashion_mnist`");
  }
};

WEFT_NODE(FashionMnist, "fashion_mnist", "Fashion-MNIST: gray images of clothes in 10 classes.",
          "{split: test, batch: 4, limit: 16}")

}  // namespace
}  // namespace weft

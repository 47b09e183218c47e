#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <regex>

#include "framework/node/plugin.h"
#include "nodes/data/image_file.h"
#include "nodes/data/pixels.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
constexpr int64_t most_kept = int64_t{1} << 30;  // bytes of decoded images that stay in memory
constexpr size_t most_files = 10'000'000;

enum class Split { all, train, test };
std::vector<std::string> names(Split) {
  return {"all", "train", "test"};
}

// The image files below a folder, in the order of their names, decoded when first asked for. Shared
// by all who open the same folder in the same form; any thread may read at any time.
class ImageFolder {
 public:
  ImageFolder(const fs::path& folder, const ImageForm& form) : form_(form) {
    std::error_code error;
    fs::recursive_directory_iterator at(folder, fs::directory_options::follow_directory_symlink,
                                        error);
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
      if (!is_image_file(at->path()) || !at->is_regular_file(error)) continue;
      files_.push_back(at->path().lexically_relative(folder));
      if (files_.size() > most_files)
        throw Error(Exit::data, folder.string() + " holds more than 10 million images");
    }
    if (error) throw Error(Exit::data, "cannot list " + folder.string() + ": " + error.message());
    if (files_.empty())
      throw Error(Exit::data, folder.string() + " holds no image file (.png, .jpg, .jpeg)");
    std::sort(files_.begin(), files_.end());
    for (const fs::path& file : files_)
      if (file.has_parent_path()) classes_.push_back(file.begin()->string());
    classes_.erase(std::unique(classes_.begin(), classes_.end()), classes_.end());
    folder_ = folder;
    decoded_ = std::vector<std::atomic<const uint8_t*>>(files_.size());
    owned_.resize(files_.size());
  }

  const std::vector<fs::path>& files() const { return files_; }

  // The place of its first folder's name among all, or -1.
  int32_t label(size_t file) const {
    const fs::path& path = files_[file];
    if (!path.has_parent_path()) return -1;
    const auto found = std::lower_bound(classes_.begin(), classes_.end(), path.begin()->string());
    return static_cast<int32_t>(found - classes_.begin());
  }

  void read(size_t file, float* out, PixelRange range) {
    if (const uint8_t* ready = decoded_[file].load(std::memory_order_acquire))
      return to_floats(ready, out, form_.bytes(), range);
    std::vector<uint8_t> pixels = read_image(folder_ / files_[file], form_);
    to_floats(pixels.data(), out, form_.bytes(), range);
    const std::scoped_lock lock(keeping_);
    if (!owned_[file].empty() || kept_ + form_.bytes() > most_kept) return;
    kept_ += form_.bytes();
    owned_[file] = std::move(pixels);
    decoded_[file].store(owned_[file].data(), std::memory_order_release);
  }

  static std::shared_ptr<ImageFolder> open(const fs::path& folder, const ImageForm& form) {
    static std::mutex mutex;
    static std::map<std::pair<fs::path, ImageForm>, std::weak_ptr<ImageFolder>> all;
    const std::scoped_lock lock(mutex);
    auto& known = all[{fs::weakly_canonical(folder), form}];
    if (auto shared = known.lock()) return shared;
    auto fresh = std::make_shared<ImageFolder>(folder, form);
    known = fresh;
    return fresh;
  }

 private:
  fs::path folder_;
  ImageForm form_;
  std::vector<fs::path> files_;
  std::vector<std::string> classes_;
  std::mutex keeping_;
  int64_t kept_ = 0;
  std::vector<std::vector<uint8_t>> owned_;
  std::vector<std::atomic<const uint8_t*>> decoded_;
};

class Images final : public Source {
  Out image{this, "image", "[batch, height, width, channels]"};
  Out label{this, "label", "The place of the image's first sub-folder among all, by name; else -1.",
            DType::i32};
  Param<std::string> folder{
      this, "folder", "Where the images are, or a folder of a fetched data set (`emoji/google`).",
      required};
  Param<std::vector<int64_t>> size{this, "size", "Height and width, or one number for both.",
                                   required, within(1, 4096)};
  Param<int64_t> channels{this, "channels", "3 for colours, 1 for gray.", 3, within(1, 3)};
  Param<std::vector<double>> background{
      this,
      "background",
      "Red, green and blue, or gray, in [0, 1], behind transparent images.",
      {1},
      within(0, 1)};
  Param<Fit> fit{this, "fit", "Crop the middle to the proportions of `size`, or stretch.",
                 Fit::crop};
  Param<PixelRange> range{this, "range", "Pixels are in [0, 1] (unit) or [-1, 1] (symmetric).",
                          PixelRange::unit};
  Param<Split> split{this, "split", "All images, or those on one side of `test_share`.",
                     Split::all};
  Param<double> test_share{this, "test_share",
                           "The share of groups that the test set has, by a hash of the name.", 0.1,
                           within(0, 1)};
  Param<std::string> group{
      this, "group",
      "A regular expression: files whose names match it with the same text are "
      "one group. Else each file is.",
      ""};
  Param<int64_t> limit{this, "limit", "Only the first images; 0 is all.", 0, at_least(0)};

  std::shared_ptr<ImageFolder> images_;
  std::vector<size_t> chosen_;

  ImageForm form() const {
    if (size->size() > 2) throw Error("`size` must be one number, or two: height and width");
    if (*channels == 2) throw Error("`channels` is 2, but must be 1 or 3");
    if (background->size() != 1 && background->size() != 3)
      throw Error("`background` must be one number, or three: red, green and blue");
    ImageForm form{
        .height = size->front(), .width = size->back(), .channels = *channels, .fit = *fit};
    for (size_t k = 0; k < 3; ++k)
      form.background[k] =
          static_cast<uint8_t>((*background)[std::min(k, background->size() - 1)] * 255 + 0.5);
    return form;
  }

  fs::path find_folder() const {
    std::error_code ignored;
    if (fs::is_directory(*folder, ignored)) return *folder;
    if (const fs::path fetched = data_dir() / *folder; fs::is_directory(fetched, ignored))
      return fetched;
    const std::string set = fs::path(*folder).begin()->string();
    throw Error(Exit::data, "there is no folder `" + *folder + "`, here or in " +
                                data_dir().string() +
                                "; if it is of a data set: `weft data fetch " + set + "`");
  }

  bool wanted(const fs::path& file, const std::regex& pattern) const {
    if (*split == Split::all) return true;
    std::string text = file.generic_string();
    if (std::smatch match; !group->empty() && std::regex_search(text, match, pattern))
      text = std::string(match[0]);
    const double share = static_cast<double>(Random::key(0, text) >> 11) * 0x1p-53;
    return (share < *test_share) == (*split == Split::test);
  }

  int64_t open() override {
    const ImageForm its = form();
    std::regex pattern;
    try {
      pattern = std::regex(*group);
    } catch (const std::regex_error& error) {
      throw Error("`group` is no regular expression: " + std::string(error.what()));
    }
    images_ = ImageFolder::open(find_folder(), its);
    chosen_.clear();
    for (size_t i = 0; i < images_->files().size(); ++i)
      if (wanted(images_->files()[i], pattern)) chosen_.push_back(i);
    if (*limit > 0 && std::ssize(chosen_) > *limit) chosen_.resize(static_cast<size_t>(*limit));
    image.shape({*batch, its.height, its.width, its.channels});
    label.shape({*batch});
    return std::ssize(chosen_);
  }

  void load(int64_t sample, int64_t row) override {
    const size_t file = chosen_[static_cast<size_t>(sample)];
    images_->read(file, image.data() + row * image.row_size(), *range);
    label.ints()[row] = images_->label(file);
  }
};

WEFT_NODE(Images, "images", "The PNG and JPEG files of a folder and its sub-folders.",
          "{folder: emoji/google, size: 32, split: train, batch: 64}")

}  // namespace
}  // namespace weft

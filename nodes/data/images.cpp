#include <map>
#include <memory>
#include <regex>

#include "framework/node/plugin.h"
#include "nodes/data/image_params.h"
#include "nodes/data/image_store.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
constexpr size_t most_files = 10'000'000;

// The image files below a folder, in the order of their names.
std::vector<fs::path> image_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (!is_image_file(at->path()) || !at->is_regular_file(error)) continue;
    files.push_back(at->path());
    if (files.size() > most_files)
      throw Error(Exit::data, folder.string() + " holds more than 10 million images");
  }
  if (error) throw Error(Exit::data, "cannot list " + folder.string() + ": " + error.message());
  if (files.empty())
    throw Error(Exit::data, folder.string() + " holds no image file (.png, .jpg, .jpeg)");
  std::sort(files.begin(), files.end());
  return files;
}

// Shared by all who open the same folder in the same form.
struct ImageFolder {
  fs::path folder;
  ImageStore store;
  std::vector<std::string> classes;  // the names of its sub-folders

  ImageFolder(const fs::path& folder, const ImageForm& form)
      : folder(folder), store(image_files(folder), form) {
    for (size_t i = 0; i < store.files().size(); ++i)
      if (const fs::path name = inner(i); name.has_parent_path())
        classes.push_back(name.begin()->string());
    std::sort(classes.begin(), classes.end());
    classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  }

  fs::path inner(size_t file) const { return store.files()[file].lexically_relative(folder); }

  int32_t label(size_t file) const {
    const fs::path name = inner(file);
    if (!name.has_parent_path()) return -1;
    const auto found = std::lower_bound(classes.begin(), classes.end(), name.begin()->string());
    return static_cast<int32_t>(found - classes.begin());
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
};

class Images final : public Source {
  Out image{this, "image", "[batch, height, width, channels]"};
  Out label{this, "label", "The place of the image's first sub-folder among all, by name; else -1.",
            DType::i32};
  Param<std::string> folder{
      this, "folder", "Where the images are, or a folder of a fetched data set (`emoji/google`).",
      required};
  ImageParams form{this};
  SplitParams side{this};
  Param<std::string> group{
      this, "group",
      "A regular expression: files whose names match it with the same text are "
      "one group. Else each file is.",
      ""};
  Param<int64_t> limit{this, "limit", "Only the first images; 0 is all.", 0, at_least(0)};

  std::shared_ptr<ImageFolder> images_;
  std::vector<size_t> chosen_;
  std::vector<int32_t> labels_;  // of the chosen

  int64_t open() override {
    const ImageForm its = form.form();
    if (folder->empty())
      throw Error("`folder` is empty: write `.` for the folder weft is started in");
    if (group->size() > 1000) throw Error("`group` is longer than 1000 characters");
    std::regex pattern;
    try {
      pattern = std::regex(*group);
    } catch (const std::regex_error& error) {
      throw Error("`group` is no regular expression: " + std::string(error.what()));
    }
    images_ = ImageFolder::open(find_data(*folder), its);
    chosen_.clear();
    for (size_t i = 0; i < images_->store.files().size(); ++i) {
      std::string name = images_->inner(i).generic_string();
      if (std::smatch match; !group->empty() && std::regex_search(name, match, pattern))
        name = std::string(match[0]);
      if (side.wants(name)) chosen_.push_back(i);
    }
    if (*limit > 0 && std::ssize(chosen_) > *limit) chosen_.resize(static_cast<size_t>(*limit));
    labels_.clear();
    for (const size_t file : chosen_) labels_.push_back(images_->label(file));
    image.shape({*batch, its.height, its.width, its.channels});
    label.shape({*batch});
    return std::ssize(chosen_);
  }

  void load(int64_t sample, int64_t row) override {
    const auto i = static_cast<size_t>(sample);
    images_->store.read(chosen_[i], image.data() + row * image.row_size(), *form.range);
    label.ints()[row] = labels_[i];
  }
};

WEFT_NODE(Images, "images", "The PNG and JPEG files of a folder and its sub-folders.",
          "{folder: emoji/google, size: 32, split: train, batch: 64}")

}  // namespace
}  // namespace weft

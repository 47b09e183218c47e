#include <cmath>
#include <list>
#include <map>
#include <mutex>

#include "framework/node/plugin.h"
#include "framework/node/source.h"
#include "framework/node/split.h"
#include "nodes/data/folder_files.h"
#include "nodes/data/image_store.h"
#include "nodes/data/limit.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr int64_t most_pixels = int64_t{1} << 26, most_kept = int64_t{1} << 30;

// A large image, which is decoded and scaled when it is first asked for.
class Photo {
 public:
  Photo(const fs::path& file, int64_t side, int64_t channels) : file_(file) {
    const ImageSize whole = image_size(file);
    const double scale =
        static_cast<double>(side) / static_cast<double>(std::min(whole.height, whole.width));
    const auto scaled = [&](int64_t extent) {
      return std::max<int64_t>(side, std::llround(scale * static_cast<double>(extent)));
    };
    form_ = {.height = scaled(whole.height),
             .width = scaled(whole.width),
             .channels = channels,
             .fit = ImageFit::stretch};
    if (form_.height > most_pixels / form_.width)
      throw Error(Exit::data,
                  file.string() + " would have more than 2^26 pixels: make `side` smaller");
  }
  const ImageForm& form() const { return form_; }
  const uint8_t* pixels() const {
    std::call_once(once_, [&] { pixels_ = read_image(file_, form_); });
    return pixels_.data();
  }

 private:
  fs::path file_;
  ImageForm form_{};
  mutable std::once_flag once_;
  mutable std::vector<uint8_t> pixels_;
};

using Photos = std::map<fs::path, Photo>;  // by their path in the folder

Photos open_photos(const fs::path& folder, int64_t side, int64_t channels) {
  Photos photos;
  for (const FilePart& photo : files_below(folder, ImageStore::kind))
    photos.try_emplace(photo.file.lexically_relative(folder), photo.file, side, channels);
  int64_t bytes = 0;  // size of all photos, which are kept
  for (const auto& [name, photo] : photos) bytes += photo.form().bytes();
  if (bytes > most_kept)
    throw Error(Exit::data, folder.string() + " would take " + std::to_string(bytes >> 20) +
                                " MiB, more than 1 GiB: make `side` smaller");
  return photos;
}

class Patches final : public Source {
  Out image{this, "image", "[batch, size, size, channels]"};
  Param<std::vector<std::string>> folders{
      this, "folder", "Where the images are: folders, or those of fetched data sets.", required};
  Param<int64_t> side{this, "side", "The shorter side of each image is scaled to this.", required,
                      within(1, 1 << 14)};
  Param<int64_t> size{this, "size", "Height and width of a patch.", required, within(1, 4096)};
  Param<int64_t> stride{this, "stride", "From patch to patch; 0 is `size`.", 0, within(0, 4096)};
  Param<int64_t> channels{this, "channels", "3 for colours, 1 for gray.", 3, within(1, 3)};
  Param<PixelRange> range{this, "range", "Pixels are in [0, 1] (unit) or [-1, 1] (symmetric).",
                          PixelRange::unit};
  Limit limit{this};
  SplitParams split{this};

  struct Place {
    const Photo* photo;
    int64_t top, left;
  };
  std::list<Photos> photos_;  // by folder
  std::vector<Place> places_;

  int64_t open() override {
    if (*channels == 2) throw Error("`channels` is 2, but must be 1 or 3");
    if (*size > *side)
      throw Error("`size` is " + std::to_string(*size) + ", more than `side`, " +
                  std::to_string(*side));
    const int64_t step = *stride > 0 ? *stride : *size;
    for (const std::string& folder : *folders) {
      photos_.push_back(open_photos(find_data(folder), *side, *channels));
      for (const auto& [name, photo] : photos_.back())
        if (split.wants(name.generic_string())) cut(photo, step);
    }
    image.shape({*batch, *size, *size, *channels});
    limit.cut(places_);
    return std::ssize(places_);
  }

  void cut(const Photo& photo, int64_t step) {
    for (int64_t top = 0; top + *size <= photo.form().height; top += step)
      for (int64_t left = 0; left + *size <= photo.form().width; left += step)
        places_.push_back({&photo, top, left});
  }

  void load(int64_t sample, const Row& row) const override {
    const Place& place = places_[static_cast<size_t>(sample)];
    const uint8_t* pixels = place.photo->pixels();
    const int64_t c = *channels, line = *size * c;
    for (int64_t i = 0; i < *size; ++i)
      to_floats(pixels + ((place.top + i) * place.photo->form().width + place.left) * c,
                row[image] + i * line, line, *range);
  }
};

WEFT_NODE(Patches, "patches", "Square parts of large images; a split keeps an image on one side.",
          "{folder: photos, side: 512, size: 96, stride: 48, batch: 64}")

}  // namespace
}  // namespace weft

// Image files in one form, decoded when first asked for and kept up to 1 GiB. Any thread may read
// at any time.
#pragma once

#include <atomic>
#include <filesystem>
#include <mutex>
#include <vector>

#include "nodes/data/image_file.h"
#include "nodes/data/pixels.h"

namespace weft {

class ImageStore {
 public:
  ImageStore(std::vector<std::filesystem::path> files, const ImageForm& form)
      : files_(std::move(files)), form_(form), owned_(files_.size()), decoded_(files_.size()) {}

  const std::vector<std::filesystem::path>& files() const { return files_; }

  void read(size_t file, float* out, PixelRange range) {
    if (const uint8_t* ready = decoded_[file].load(std::memory_order_acquire))
      return to_floats(ready, out, form_.bytes(), range);
    std::vector<uint8_t> pixels = read_image(files_[file], form_);
    to_floats(pixels.data(), out, form_.bytes(), range);
    const std::scoped_lock lock(keeping_);
    if (!owned_[file].empty() || kept_ + form_.bytes() > most_kept) return;
    kept_ += form_.bytes();
    owned_[file] = std::move(pixels);
    decoded_[file].store(owned_[file].data(), std::memory_order_release);
  }

 private:
  static constexpr int64_t most_kept = int64_t{1} << 30;  // bytes
  std::vector<std::filesystem::path> files_;
  ImageForm form_;
  std::mutex keeping_;
  int64_t kept_ = 0;
  std::vector<std::vector<uint8_t>> owned_;
  std::vector<std::atomic<const uint8_t*>> decoded_;
};

}  // namespace weft

// Image files as pixels: PNG and JPEG, fitted to one size.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "framework/formats/file_part.h"

namespace weft {

enum class ImageFit { crop, stretch };
inline std::vector<std::string> names(ImageFit) {
  return {"crop", "stretch"};
}

struct ImageForm {
  // 1 channel (gray, ITU-R BT.601 luma), 3, or 4: colours times opacity, and the opacity.
  int64_t height, width, channels;
  std::array<uint8_t, 3> background{};  // shines through where the image is transparent
  ImageFit fit = ImageFit::crop;        // crop the middle to the form's proportions, or stretch

  int64_t bytes() const { return height * width * channels; }
  auto operator<=>(const ImageForm&) const = default;
};

struct ImageSize {
  int64_t height, width;
};
ImageSize image_size(const FilePart& file);  // from the head of the file

bool is_image_file(const std::filesystem::path& file);  // by its extension

// The pixels, [height, width, channels]; each is the mean of the area it covers. Throws
// Error(data): missing, truncated, corrupt, of another format, or of more than 2^26 pixels.
std::vector<uint8_t> read_image(const FilePart& file, const ImageForm& form);

}  // namespace weft

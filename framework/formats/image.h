// Image files as pixels: PNG and JPEG are read and fitted to one size, PNG is written.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "framework/formats/file_part.h"

namespace weft {

enum class ImageFit { crop, stretch };

struct ImageForm {
  // 1 channel is gray (ITU-R BT.601 luma), 3 are colours, 4 are colours times opacity and opacity.
  int64_t height, width, channels;
  std::array<uint8_t, 3> background{};  // shines through where the image is transparent
  ImageFit fit = ImageFit::crop;        // cut out the middle in the form's proportions, or stretch

  int64_t bytes() const { return height * width * channels; }
  auto operator<=>(const ImageForm&) const = default;
};

struct ImageSize {
  int64_t height, width;
};
ImageSize image_size(const FilePart& file);  // reads the head of the file only

bool is_image_file(const std::filesystem::path& file);  // judged by its extension

// The pixels of an image, [height, width, channels]; each is the mean of the area that it covers.
// Throws Error(data): missing, truncated, corrupt, of another format, or of more than 2^26 pixels.
std::vector<uint8_t> read_image(const FilePart& file, const ImageForm& form);

// The bytes of a PNG file with these pixels, [height, width, channels], 1 channel or 3; `comment`
// is its text of that name.
std::string encode_png(const std::vector<uint8_t>& pixels, int64_t height, int64_t width,
                       int64_t channels, const std::string& comment = "");

}  // namespace weft

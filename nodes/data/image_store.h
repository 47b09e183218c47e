// A store of image files in one form.
#pragma once

#include "framework/formats/image.h"
#include "nodes/data/file_store.h"
#include "nodes/data/pixels.h"

namespace weft {

class ImageStore final : public FileStore<uint8_t> {
 public:
  using Form = ImageForm;
  static constexpr FileKind kind{"image", "images", ".png, .jpg, .jpeg", is_image_file};

  ImageStore(std::vector<FilePart> files, const ImageForm& form)
      : FileStore(std::move(files)), form_(form) {}

  void read(size_t file, float* out, PixelRange range) const {
    with(file, [&](const uint8_t* pixels) { to_floats(pixels, out, form_.bytes(), range); });
  }

 private:
  std::vector<uint8_t> decode(size_t file) const override {
    return read_image(files()[file], form_);
  }

  ImageForm form_;
};

}  // namespace weft

#include <cmath>

#include "nodes/math/rearranged.h"

namespace weft {
namespace {

// An image that is cut into squares of size × size pixels, of which `high` lie below each other.
struct Cut {
  int64_t high, wide, size, channels;

  Shape image(int64_t batch) const { return {batch, high * size, wide * size, channels}; }
  Shape patches(int64_t batch) const { return {batch, high * wide, size * size * channels}; }

  // Where the numbers of the patches lie in the image.
  Walk<1> in_image(int64_t batch) const {
    const int64_t row = wide * size * channels;
    return Walk<1>({{batch, {high * size * row}},
                    {high, {size * row}},
                    {wide, {size * channels}},
                    {size, {row}},
                    {size * channels, {1}}});
  }
  // Where the numbers of the image lie in the patches.
  Walk<1> in_patches(int64_t batch) const {
    const int64_t row = size * channels, patch = size * row;
    return Walk<1>({{batch, {high * wide * patch}},
                    {high, {wide * patch}},
                    {size, {row}},
                    {wide, {patch}},
                    {row, {1}}});
  }
};

// As in Dosovitskiy et al. 2021, arXiv:2010.11929, section 3.1.
class ImageToPatches final : public Rearranged {
  Param<int64_t> size{this, "size", "Of a patch, in pixels.", required, within(1, 1 << 16)};

 public:
  ImageToPatches()
      : Rearranged("Images, [batch, height, width, channels].",
                   "Patches row by row, [batch, n, size · size · channels]; in each its pixels row "
                   "by row, with their channels.") {}

 private:
  Cut cut() const {
    const Shape& s = x.shape();
    return {s[1] / *size, s[2] / *size, *size, s[3]};
  }
  void infer() override {
    if (x.shape().rank() != 4 || x.shape()[1] % *size != 0 || x.shape()[2] % *size != 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, height, width, channels], " +
                  "with a height and a width that are multiples of `size`, " +
                  std::to_string(*size));
    shape(cut().patches(x.rows()));
  }
  Order order() const override { return {cut().in_image(x.rows())}; }
};

class PatchesToImage final : public Rearranged {
  Param<int64_t> size{this, "size", "Of a patch, in pixels.", required, within(1, 1 << 16)};
  Param<int64_t> height{this, "height", "Of the images, in pixels; 0: they are square.", 0,
                        within(0, 1 << 24)};

 public:
  PatchesToImage()
      : Rearranged("Patches as `image_to_patches` has them, [batch, n, size · size · channels].",
                   "Images, [batch, height, width, channels].") {}

 private:
  Cut cut() const {
    const int64_t n = x.shape()[1];
    const int64_t high =
        *height > 0 ? *height / *size : std::llround(std::sqrt(static_cast<double>(n)));
    const int64_t wide = *height > 0 ? n / std::max<int64_t>(high, 1) : high;
    return {high, wide, *size, x.shape()[2] / (*size * *size)};
  }
  void infer() override {
    if (x.shape().rank() != 3 || x.shape()[2] % (*size * *size) != 0)
      throw Error("`x` is " + x.shape().str() +
                  ", but must be [batch, n, size · size · channels], " + "with the `size` " +
                  std::to_string(*size));
    if (cut().patches(x.rows()) != x.shape() || *height % *size != 0)
      throw Error("`x` has " + std::to_string(x.shape()[1]) + " patches, which do not fill " +
                  (*height > 0 ? "rows of a `height` of " + std::to_string(*height) + " pixels"
                               : "a square: `height` must say how high the images are"));
    shape(cut().image(x.rows()));
  }
  Order order() const override { return {cut().in_patches(x.rows())}; }
};

WEFT_NODE(ImageToPatches, "image_to_patches", "Cuts images into squares (Dosovitskiy et al. 2021).",
          "{x: [4, 6, 4, 3], size: 2}")
WEFT_NODE(PatchesToImage, "patches_to_image", "Puts images together from squares.",
          "{x: [4, 6, 12], size: 2, height: 6}")

}  // namespace
}  // namespace weft

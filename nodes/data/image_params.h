// The params by which sources of image files turn an image into numbers.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/formats/image.h"
#include "framework/node/node.h"
#include "nodes/data/pixels.h"

namespace weft {

inline std::vector<std::string> names(ImageFit) {
  return {"crop", "stretch"};
}

struct ImageParams {
  Param<std::vector<int64_t>> size;
  Param<int64_t> channels;
  Param<std::vector<double>> background;
  Param<ImageFit> fit;
  Param<PixelRange> range;

  explicit ImageParams(Node* owner)
      : size(owner, "size", "Height and width of images, or one number for both.",
             std::vector<int64_t>{}, within(1, 4096)),
        channels(owner, "channels",
                 "3 for colours, 1 for gray, 4 for colours times opacity and the opacity.", 3,
                 within(1, 4)),
        background(owner, "background",
                   "Red, green and blue, or gray, in [0, 1], behind transparent images.", {1},
                   within(0, 1)),
        fit(owner, "fit", "Crop the middle to the proportions of `size`, or stretch.",
            ImageFit::crop),
        range(owner, "range", "Pixels are in [0, 1] (unit) or [-1, 1] (symmetric).",
              PixelRange::unit) {}

  ImageForm form() const {
    if (size->size() != 1 && size->size() != 2)
      throw Error("`size` must be one number, or two: height and width");
    if (*channels == 2) throw Error("`channels` is 2, but must be 1, 3 or 4");
    if (background->size() != 1 && background->size() != 3)
      throw Error("`background` must be one number, or three: red, green and blue");
    if (*channels == 4 && *range == PixelRange::symmetric)
      throw Error("`channels: 4` has opacities in [0, 1], so `range` must be unit");
    const bool transparent = *channels == 4;  // then the background is not seen
    ImageForm form{
        .height = size->front(), .width = size->back(), .channels = *channels, .fit = *fit};
    for (size_t k = 0; k < 3; ++k)
      form.background[k] =
          transparent ? 0
                      : static_cast<uint8_t>(
                            std::lround((*background)[std::min(k, background->size() - 1)] * 255));
    return form;
  }
};

}  // namespace weft

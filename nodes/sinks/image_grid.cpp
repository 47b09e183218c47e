#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/formats/image.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"
#include "framework/node/sink.h"

namespace weft {
namespace {

enum class Map { none, sigmoid, symmetric };
std::vector<std::string> names(Map) {
  return {"none", "sigmoid", "symmetric"};
}

constexpr int64_t gap = 2;             // pixels between images
constexpr int64_t most_side = 65'500;  // pixels of the picture that common viewers open

uint8_t to_byte(float v) {
  return v > 0 ? static_cast<uint8_t>(std::lround(std::min(v, 1.0F) * 255)) : 0;
}

class ImageGrid final : public Sink {
  In x{this, "x", "Images, [n, pixels] gray or [n, height, width, 1 or 3].", {.grad = false}};
  Param<std::string> path{this, "path", "The PNG file; later batches put their number before `.`.",
                          required};
  Param<int64_t> columns{this, "columns", "Images in a row; 0 makes the grid nearly square.", 0,
                         at_least(0)};
  Param<Map> map{this, "map", "How values become [0, 1]: as they are, sigmoid, or (x + 1) / 2.",
                 Map::none};
  Param<int64_t> height{this, "height", "Of an image given as a row of pixels; 0 is square.", 0,
                        at_least(0)};
  int64_t h_ = 0, w_ = 0, channels_ = 1;

  void infer() override {
    check_output(*path, ".png");
    const Shape& s = x.shape();
    if (s.rank() == 4) {
      h_ = s[1], w_ = s[2], channels_ = s[3];
      if (channels_ != 1 && channels_ != 3)
        throw Error("x is " + s.str() + ": an image has 1 or 3 channels, not " +
                    std::to_string(channels_));
      if (*height > 0 && *height != h_)
        throw Error("x is " + s.str() + ", which has a height: leave out `height`");
    } else if (s.rank() == 2) {
      h_ = *height > 0 ? *height : std::llround(std::sqrt(static_cast<double>(s[1])));
      w_ = h_ > 0 ? s[1] / h_ : 0;
      if (h_ * w_ != s[1])
        throw Error("x is " + s.str() + ": " + std::to_string(s[1]) + " pixels are not " +
                    (*height > 0 ? "rows of an image of height " + std::to_string(h_)
                                 : "a square image; set `height`"));
    } else {
      throw Error("x is " + s.str() + ", but must be [n, pixels] or [n, height, width, channels]");
    }
    if (s.elements() == 0) throw Error("x is " + s.str() + ": there is nothing to draw");
    const auto [across, down] = grid(s.rows());
    if (across * (w_ + gap) > most_side || down * (h_ + gap) > most_side)
      throw Error("a picture of " + std::to_string(across) + " × " + std::to_string(down) +
                  " images of " + std::to_string(w_) + " × " + std::to_string(h_) +
                  " pixels is too large: draw fewer images");
  }

  struct Grid {
    int64_t across, down;
  };
  Grid grid(int64_t images) const {
    const auto square = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(images))));
    const int64_t across = std::max<int64_t>(1, std::min(*columns > 0 ? *columns : square, images));
    return {across, (images + across - 1) / across};
  }

  float mapped(float v) const {
    if (*map == Map::sigmoid) return simd::sigmoid(v);
    return *map == Map::symmetric ? (v + 1) / 2 : v;
  }

  void forward(const Step& step) override {
    const int64_t images = std::min(step.rows, x.rows());
    if (images == 0) return;
    const auto [across, down] = grid(images);
    const int64_t width = across * (w_ + gap) - gap, rows = down * (h_ + gap) - gap;
    std::vector<uint8_t> canvas(static_cast<size_t>(width * rows * channels_), 0);
    const int64_t line = w_ * channels_;
    for (int64_t i = 0; i < images; ++i)
      for (int64_t r = 0; r < h_; ++r) {
        const float* from = x.data() + (i * h_ + r) * line;
        const int64_t top = i / across * (h_ + gap) + r, left = i % across * (w_ + gap);
        uint8_t* to = canvas.data() + (top * width + left) * channels_;
        for (int64_t k = 0; k < line; ++k) to[k] = to_byte(mapped(from[k]));
      }
    write(*path, step, encode_png(canvas, rows, width, channels_, made_by()));
  }
};

WEFT_NODE(ImageGrid, "image_grid", "Writes a batch of images as one PNG, side by side.",
          "{x: [5, 16], path: images.png, map: sigmoid}")

}  // namespace
}  // namespace weft

// The base of sources of idx files.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "framework/formats/idx.h"
#include "framework/node/source.h"
#include "nodes/data/class_choice.h"
#include "nodes/data/limit.h"
#include "nodes/data/pixels.h"

namespace weft {

// A source of labelled images from two idx files.
class IdxSource : public Source {
 public:
  Out image{this, "image", "Pixels: [batch, pixels], or [batch, height, width, channels]."};
  Out label{this, "label", "The class of each image, [batch]; -1 where there are no labels.",
            DType::i32};
  Param<bool> flatten{this, "flatten", "An image is one row of pixels.", true};
  Param<PixelRange> range{this, "range", "Pixels are in [0, 1] (unit) or [-1, 1] (symmetric).",
                          PixelRange::unit};
  ClassChoice choice{this};
  Limit limit{this};

  void load(int64_t sample, const Row& row) const final;
  void expect(int64_t sample) const final { images_->expect(chosen_[static_cast<size_t>(sample)]); }

 protected:
  // Shapes the outputs and returns the number of samples, the images whose number is wanted. Images
  // are [n, pixels], [n, height, width] or [n, height, width, channels]; labels [n].
  int64_t open_files(const std::filesystem::path& images,
                     const std::optional<std::filesystem::path>& labels,
                     const std::function<bool(int64_t)>& wants);

 private:
  int32_t label_of(int64_t image) const;  // -1 where there are no labels

  std::unique_ptr<const IdxFile> images_, labels_;
  std::vector<int64_t> chosen_;
};

}  // namespace weft

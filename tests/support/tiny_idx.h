// Small idx data sets that a model can learn and a test can recognise.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace weft::tests {

struct TinyIdx {
  int64_t train = 200, test = 40;  // images
  int64_t side = 28;               // of an image, in pixels; at least 4
  bool gzip = false;               // names end in .gz
};

// Writes {train,t10k}-{images-idx3,labels-idx1}-ubyte into `folder`, the names of MNIST and
// Fashion-MNIST. Test images go on where the training images end.
void write_tiny_idx(const std::filesystem::path& folder, const TinyIdx& set = {});

// Image i has label i % 10: a white bar across, at the height of its label, with a gray column for
// i / 10, on a dark ground of noise. Every image of a set of up to 10 · side differs.
uint8_t tiny_label(int64_t image);
uint8_t tiny_pixel(int64_t image, int64_t row, int64_t column, int64_t side);

// Any idx file of unsigned bytes.
void write_idx(const std::filesystem::path& file, const std::vector<int64_t>& dims,
               const std::vector<uint8_t>& elements, bool gzip = false);

}  // namespace weft::tests

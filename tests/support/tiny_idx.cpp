#include "tests/support/tiny_idx.h"

#include <zlib.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <string>

namespace weft::tests {

uint8_t tiny_label(int64_t image) {
  return static_cast<uint8_t>(image % 10);
}

uint8_t tiny_pixel(int64_t image, int64_t row, int64_t column, int64_t side) {
  const int64_t bar = tiny_label(image) * side / 10;
  if (row >= bar && row < bar + (side + 9) / 10) return 255;
  if (column == image / 10 % side) return 128;
  return static_cast<uint8_t>((image * 7919 + row * 104729 + column * 1299709) % 24);
}

void write_idx(const std::filesystem::path& file, const std::vector<int64_t>& dims,
               const std::vector<uint8_t>& elements, bool gzip) {
  std::vector<uint8_t> bytes{0, 0, 8, static_cast<uint8_t>(dims.size())};
  for (const int64_t extent : dims)
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<uint8_t>(extent >> shift));
  std::copy(elements.begin(), elements.end(), std::back_inserter(bytes));
  gzFile out = gzopen(file.c_str(), gzip ? "wb" : "wbT");  // T: as it is
  const auto size = static_cast<unsigned>(bytes.size());
  const bool written = out && gzwrite(out, bytes.data(), size) == static_cast<int>(size);
  if (!out || gzclose(out) != Z_OK || !written)
    throw std::runtime_error("cannot write " + file.string());
}

namespace {
void write_part(const std::filesystem::path& folder, const std::string& prefix, int64_t first,
                int64_t count, const TinyIdx& set) {
  const std::string end = set.gzip ? "-ubyte.gz" : "-ubyte";
  std::vector<uint8_t> pixels, labels;
  for (int64_t image = first; image < first + count; ++image) {
    labels.push_back(tiny_label(image));
    for (int64_t row = 0; row < set.side; ++row)
      for (int64_t column = 0; column < set.side; ++column)
        pixels.push_back(tiny_pixel(image, row, column, set.side));
  }
  write_idx(folder / (prefix + "-images-idx3" + end), {count, set.side, set.side}, pixels,
            set.gzip);
  write_idx(folder / (prefix + "-labels-idx1" + end), {count}, labels, set.gzip);
}
}  // namespace

void write_tiny_idx(const std::filesystem::path& folder, const TinyIdx& set) {
  std::filesystem::create_directories(folder);
  write_part(folder, "train", 0, set.train, set);
  write_part(folder, "t10k", set.train, set.test, set);
}

}  // namespace weft::tests

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "framework/node/plugin.h"
#include "framework/node/sink.h"

namespace weft {
namespace {

static_assert(std::endian::native == std::endian::little, "the header says so");

// NumPy's format, version 1.0 (NEP 1): magic, version, the length of a header that ends on a
// multiple of 64 bytes, the header, the numbers.
std::string npy_header(const Shape& shape) {
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (const int64_t extent : shape.dims()) text += std::to_string(extent) + ",";
  text += "), }";
  text.append(63 - (10 + text.size()) % 64, ' ');
  text += '\n';
  const char start[] = {'\x93',
                        'N',
                        'U',
                        'M',
                        'P',
                        'Y',
                        1,
                        0,
                        static_cast<char>(text.size() & 0xff),
                        static_cast<char>(text.size() >> 8)};
  return std::string(start, sizeof start) + text;
}

class NpyFile final : public Sink {
  In x{this, "x", "Numbers of any shape.", {.grad = false}};
  Param<std::string> path{this, "path", "The file; later batches put their number before `.`.",
                          required};

  void infer() override { check_output(*path, ".npy"); }

  void forward(const Step& step) override {
    const bool rows = x.shape().rank() > 0;
    const int64_t n = rows ? std::min(step.rows, x.rows()) : 1;
    WholeFile file(output(*path, step));
    std::ofstream out(file.temporary(), std::ios::binary);
    out << npy_header(rows ? x.shape().with_front(n) : x.shape());
    out.write(reinterpret_cast<const char*>(x.data()),
              n * x.row_size() * static_cast<int64_t>(sizeof(float)));
    out.close();
    if (!out) file.refuse(std::strerror(errno));
    file.commit();
  }
};

WEFT_NODE(NpyFile, "npy_file", "Writes a batch as a NumPy array, float32.",
          "{x: [3, 4], path: rows.npy}")

}  // namespace
}  // namespace weft

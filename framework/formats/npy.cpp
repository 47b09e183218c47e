#include "framework/formats/npy.h"

#include <bit>

namespace weft {

static_assert(std::endian::native == std::endian::little, "the header says so");

// The bytes are: magic, version, the length of the header, the header, which ends on a multiple of
// 64 bytes, and the numbers.
std::string encode_npy(const Shape& shape, const float* numbers) {
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
  std::string bytes(start, sizeof start);
  bytes += text;
  bytes.append(reinterpret_cast<const char*>(numbers),
               static_cast<size_t>(shape.elements()) * sizeof(float));
  return bytes;
}

}  // namespace weft

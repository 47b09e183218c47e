#include "framework/run/buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "framework/node/error.h"

namespace weft {

// Large memory asks for huge pages: a page fault for every 4 KiB costs more than clearing the 4
// KiB, and strided reads miss fewer translations.
Buffer::Buffer(size_t bytes) {
  constexpr size_t huge = size_t{1} << 21;
  const size_t alignment = bytes >= 2 * huge ? huge : 64;
  const size_t size = (std::max<size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
  data_.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, size)));
  if (!data_)
    throw Error(Exit::resources, "there is no memory for " + std::to_string(size >> 20) +
                                     " MiB more: make `batch` or the layers smaller");
  if (alignment == huge) madvise(data_.get(), size, MADV_HUGEPAGE);  // may be refused
  std::memset(data_.get(), 0, size);
}

OwnedTensor::OwnedTensor(const Shape& shape)
    : memory(static_cast<size_t>(shape.elements()) * sizeof(float)) {
  view = {shape, DType::f32, memory.data()};
}

}  // namespace weft

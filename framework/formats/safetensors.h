// The safetensors format of Hugging Face (github.com/huggingface/safetensors):
//   8 bytes   N, the length of the header, little-endian
//   N bytes   a JSON object, padded with spaces: {"name": {"dtype": "F32", "shape": [..],
//             "data_offsets": [begin, end]}, …, "__metadata__": {"key": "text"}}
//   the rest  the numbers, contiguous, row-major, little-endian; offsets count from here
// weft reads and writes F32 and I32.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "framework/node/shape.h"

namespace weft {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

// Functions that write or read the next bytes of a file, called from its first byte to its last.
using WriteBytes = std::function<void(const void* from, size_t size)>;
using ReadBytes = std::function<void(void* to, size_t size)>;

// Writes the tensors in this order. Before the first byte it throws Error(Exit::checkpoint) for a
// name that is used twice, not UTF-8 or `__metadata__`, and for a tensor without numbers.
void write_safetensors(std::span<const NamedTensor> tensors,
                       const std::map<std::string, std::string>& metadata, const WriteBytes& write);

// A file in memory. Nothing of a file is trusted: every refusal is an Error(Exit::checkpoint) that
// names the file and the entry or byte, and comes before the numbers are given memory.
class Safetensors {
 public:
  static constexpr size_t max_header = 100'000'000;  // bytes
  static constexpr size_t max_entries = 100'000;

  Safetensors() = default;
  // Reads `size` bytes; messages call the file `path`.
  Safetensors(const std::filesystem::path& path, uint64_t size, const ReadBytes& read);

  // Views of what this object owns; they stay valid when it is moved.
  const std::map<std::string, Tensor>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::unique_ptr<Line[]> data_;
  std::map<std::string, Tensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace weft

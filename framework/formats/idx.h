// The idx files of LeCun's MNIST page: a big-endian header (two zero bytes, the type of the
// elements, the number of axes, each extent in four bytes), then the elements, row-major. This
// reader takes unsigned bytes with 1 to 4 axes, plain or in a gzip stream.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace weft {

class DiskFile;

// An open idx file. A plain file of up to 256 MiB is read into memory piece by piece, when a row of
// the piece is first read; a larger one stays on disk and is read row by row; a gzip file is
// inflated into memory. Any thread may read at any time.
class IdxFile {
 public:
  // Throws Error(data): missing, truncated or corrupt, longer than its header promises, or not idx;
  // Error(resources): a gzip file that promises more than 1 GiB.
  explicit IdxFile(const std::filesystem::path& file);
  ~IdxFile();

  const std::string& name() const { return name_; }
  const std::vector<int64_t>& dims() const { return dims_; }  // 1 to 4 positive extents
  int64_t rows() const { return dims_[0]; }
  int64_t row_bytes() const { return row_bytes_; }
  // Copies out.size() bytes of `row`, from its byte `begin` on.
  void read(int64_t row, int64_t begin, std::span<uint8_t> out) const;
  // Begins to fetch a row into the cache, if it is in memory.
  void expect(int64_t row) const;

 private:
  class Inflater;
  template <class Reader>
  int64_t read_header(Reader&& reader);  // fills dims_, returns the bytes of the header
  void inflate_all();
  void read_disk(int64_t at, std::span<uint8_t> out) const;
  const uint8_t* piece(size_t index) const;

  std::string name_;
  std::unique_ptr<DiskFile> disk_;    // a plain file
  std::unique_ptr<uint8_t[]> bytes_;  // the elements of a gzip file
  struct Pieces {                     // what has been read of a small plain file
    std::mutex reading;
    std::vector<std::atomic<const uint8_t*>> ready;
    std::vector<std::unique_ptr<uint8_t[]>> owned;
    explicit Pieces(size_t count) : ready(count), owned(count) {}
  };
  std::unique_ptr<Pieces> pieces_;
  std::vector<int64_t> dims_;
  int64_t row_bytes_ = 0, elements_ = 0, header_bytes_ = 0;
};

}  // namespace weft

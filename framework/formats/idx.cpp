#include "framework/formats/idx.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "framework/formats/file_part.h"
#include "framework/node/shape.h"

namespace weft {

namespace {
constexpr int64_t most_inflated = int64_t{1} << 30;
constexpr int64_t most_in_memory = int64_t{256} << 20;
constexpr int64_t piece_bytes = int64_t{1} << 20;
constexpr int64_t deflate_ratio = 1032;  // no deflate stream expands more (zlib's technical notes)

Error bad(const std::string& sentence) {
  return Error(Exit::data, sentence);
}

std::string count(int64_t n, const char* what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

std::string too_short(const std::string& name, int64_t promised, int64_t has) {
  return name + " is truncated: its header promises " + count(promised, "byte") + ", it has " +
         std::to_string(has) + " (offset " + std::to_string(has) + ")";
}
}  // namespace

// Reads a gzip file (RFC 1952) of one or more members from its start.
class IdxFile::Inflater {
 public:
  Inflater(const DiskFile& disk, const std::string& name) : disk_(disk), name_(name) {
    if (inflateInit2(&stream_, 16 + MAX_WBITS) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;

  // Returns less than `n` at the end of the last member only.
  int64_t operator()(uint8_t* out, int64_t n) {
    int64_t got = 0;
    while (got < n && fill()) {
      const int64_t want = std::min<int64_t>(n - got, 1 << 30);
      stream_.next_out = out + got;
      stream_.avail_out = static_cast<uInt>(want);
      const int result = inflate(&stream_, Z_NO_FLUSH);
      got += want - stream_.avail_out;
      inside_ = result != Z_STREAM_END;
      if (result == Z_MEM_ERROR) throw std::bad_alloc();
      if (result == Z_STREAM_END)
        inflateReset(&stream_);
      else if (result != Z_OK && result != Z_BUF_ERROR)
        refuse();
    }
    return got;
  }

 private:
  bool fill() {
    if (stream_.avail_in > 0) return true;
    stream_.next_in = input_.data();
    stream_.avail_in = static_cast<uInt>(disk_.read(offset_, input_.data(), input_.size()));
    offset_ += stream_.avail_in;
    if (stream_.avail_in == 0 && inside_)
      throw bad(name_ + " is truncated: its gzip stream breaks off (offset " +
                std::to_string(offset_) + ")");
    return stream_.avail_in > 0;
  }

  [[noreturn]] void refuse() const {
    throw bad(name_ + " is corrupt: " + (stream_.msg ? stream_.msg : "no gzip stream") +
              " (offset " + std::to_string(offset_ - stream_.avail_in) + ")");
  }

  const DiskFile& disk_;
  const std::string& name_;
  z_stream stream_{};
  std::array<uint8_t, 1 << 16> input_;
  int64_t offset_ = 0;  // where `input_` ends in the file
  bool inside_ = true;  // within a member?
};

IdxFile::IdxFile(const std::filesystem::path& file)
    : name_(file.string()), disk_(std::make_unique<DiskFile>(file)) {
  std::array<uint8_t, 2> magic{};
  if (disk_->read(0, magic.data(), 2) == 2 && magic[0] == 0x1f && magic[1] == 0x8b) {
    inflate_all();
    disk_.reset();
    return;
  }
  int64_t at = 0;
  header_bytes_ = read_header([&](uint8_t* out, int64_t n) {
    const int64_t got = disk_->read(at, out, n);
    at += got;
    return got;
  });
  const int64_t promised = header_bytes_ + elements_;
  if (disk_->size() < promised) throw bad(too_short(name_, promised, disk_->size()));
  if (disk_->size() > promised)
    throw bad(name_ + " has " + count(disk_->size() - promised, "byte") + " after the " +
              std::to_string(promised) + " that its header promises");
  if (elements_ <= most_in_memory)
    pieces_ =
        std::make_unique<Pieces>(static_cast<size_t>((elements_ + piece_bytes - 1) / piece_bytes));
}

IdxFile::~IdxFile() = default;

template <class Reader>
int64_t IdxFile::read_header(Reader&& reader) {
  std::array<uint8_t, 20> head{};
  int64_t has = reader(head.data(), 4);
  const auto need = [&](int64_t bytes) {
    if (has < bytes)
      throw bad(name_ + " is truncated: it ends inside its header (offset " + std::to_string(has) +
                ")");
  };
  need(4);
  if (head[0] != 0 || head[1] != 0)
    throw bad(name_ + " is not an idx file: it must begin with 0 0");
  if (head[2] != 0x08)
    throw bad(name_ + " holds elements of type " + std::to_string(head[2]) +
              "; only unsigned bytes (type 8) are read");
  const int64_t rank = head[3];
  if (rank < 1 || rank > 4)
    throw bad(name_ + " has " + std::to_string(rank) + " axes, but must have 1 to 4");
  has += reader(head.data() + 4, 4 * rank);
  need(4 + 4 * rank);

  elements_ = 1;
  for (const uint8_t* at = head.data() + 4; at < head.data() + 4 + 4 * rank; at += 4) {
    dims_.push_back(int64_t{at[0]} << 24 | at[1] << 16 | at[2] << 8 | at[3]);
    if (__builtin_mul_overflow(elements_, dims_.back(), &elements_) || elements_ > int64_t{1} << 60)
      throw bad(name_ + " is corrupt: its header promises more than 2^60 bytes (offset " +
                std::to_string(at - head.data()) + ")");
  }
  if (elements_ == 0)
    throw bad(name_ + " is empty: its shape is " + Shape(std::span<const int64_t>(dims_)).str());
  row_bytes_ = elements_ / dims_[0];
  return 4 + 4 * rank;
}

void IdxFile::inflate_all() {
  Inflater inflater(*disk_, name_);
  const int64_t header = read_header(inflater);
  if (elements_ / deflate_ratio > disk_->size())
    throw bad(name_ + " is truncated: its header promises " + count(header + elements_, "byte") +
              ", more than a gzip file of " + count(disk_->size(), "byte") + " can hold");
  if (elements_ > most_inflated)
    throw Error(Exit::resources, name_ + " promises " + count(elements_, "byte") +
                                     ", too many to inflate into memory: gunzip it, a plain file " +
                                     "is read from disk");
  bytes_ = std::make_unique_for_overwrite<uint8_t[]>(static_cast<size_t>(elements_));
  const int64_t got = inflater(bytes_.get(), elements_);
  if (got < elements_) throw bad(too_short(name_, header + elements_, header + got));
  uint8_t more = 0;
  if (inflater(&more, 1) > 0)
    throw bad(name_ + " inflates to more than the " + std::to_string(header + elements_) +
              " bytes that its header promises");
}

void IdxFile::read_disk(int64_t at, std::span<uint8_t> out) const {
  const int64_t got = disk_->read(header_bytes_ + at, out.data(), std::ssize(out));
  if (got < std::ssize(out))
    throw bad(name_ + " was cut while it was read (offset " +
              std::to_string(header_bytes_ + at + got) + ")");
}

const uint8_t* IdxFile::piece(size_t index) const {
  if (const uint8_t* ready = pieces_->ready[index].load(std::memory_order_acquire)) return ready;
  const std::lock_guard lock(pieces_->reading);
  auto& owned = pieces_->owned[index];
  if (!owned) {
    const int64_t begin = static_cast<int64_t>(index) * piece_bytes;
    const auto n = static_cast<size_t>(std::min(piece_bytes, elements_ - begin));
    auto bytes = std::make_unique_for_overwrite<uint8_t[]>(n);
    read_disk(begin, std::span(bytes.get(), n));
    owned = std::move(bytes);
    pieces_->ready[index].store(owned.get(), std::memory_order_release);
  }
  return owned.get();
}

void IdxFile::read(int64_t row, int64_t begin, std::span<uint8_t> out) const {
  int64_t at = row * row_bytes_ + begin;
  if (bytes_) return void(std::memcpy(out.data(), bytes_.get() + at, out.size()));
  if (!pieces_) return read_disk(at, out);
  while (!out.empty()) {
    const int64_t offset = at % piece_bytes;
    const auto n = std::min(out.size(), static_cast<size_t>(piece_bytes - offset));
    std::memcpy(out.data(), piece(static_cast<size_t>(at / piece_bytes)) + offset, n);
    out = out.subspan(n);
    at += static_cast<int64_t>(n);
  }
}

void IdxFile::expect(int64_t row) const {
  constexpr int64_t line = 64, most = 4096;
  const int64_t end = row * row_bytes_ + std::min(row_bytes_, most);
  for (int64_t at = row * row_bytes_; at < end; at += line) {
    const uint8_t* from =
        bytes_ ? bytes_.get() + at
        : pieces_
            ? pieces_->ready[static_cast<size_t>(at / piece_bytes)].load(std::memory_order_acquire)
            : nullptr;
    if (from) __builtin_prefetch(bytes_ ? from : from + at % piece_bytes);
  }
}

}  // namespace weft

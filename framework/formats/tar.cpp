#include "framework/formats/tar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

namespace weft {

namespace {
constexpr int64_t block = 512, most_name = int64_t{1} << 20;
constexpr size_t most_members = 10'000'000;

using Block = std::array<char, block>;

// A field of a header: its bytes up to the first NUL.
std::string_view text(const Block& header, size_t at, size_t size) {
  const std::string_view all(header.data() + at, size);
  return all.substr(0, all.find('\0'));
}

// Octal digits, or, if the first bit is set, a big-endian number (GNU); -1 if neither.
int64_t number(const Block& header, size_t at, size_t size) {
  uint64_t all = 0;
  if (const auto first = static_cast<unsigned char>(header[at]); first & 0x80) {
    all = first & 0x7f;
    for (size_t i = 1; i < size; ++i) {
      if (all >> 55) return -1;
      all = all << 8 | static_cast<unsigned char>(header[at + i]);
    }
    return static_cast<int64_t>(all);
  }
  for (const char c : text(header, at, size)) {
    if (c == ' ') continue;
    if (c < '0' || c > '7') return -1;
    all = all << 3 | static_cast<uint64_t>(c - '0');
  }
  return static_cast<int64_t>(all);
}

// Of all bytes, those of the checksum itself taken as spaces.
int64_t checksum(const Block& header) {
  int64_t sum = int64_t{8} * ' ';
  for (size_t i = 0; i < header.size(); ++i)
    if (i < 148 || i >= 156) sum += static_cast<unsigned char>(header[i]);
  return sum;
}

// What the headers before a file's own say of it.
struct Extension {
  std::optional<std::string> path;
  std::optional<int64_t> size;
};

class Walk {
 public:
  explicit Walk(const DiskFile& disk) : disk_(disk) {}

  std::vector<TarMember> members() {
    std::vector<TarMember> all;
    Extension extension;
    Block header;
    while (next(header)) {
      const char type = header[156];
      if (type == 'S') throw sparse();
      if (extends(type)) {
        extend(type, content(header), extension);
        continue;
      }
      const std::string name = extension.path ? *extension.path : path(header);
      const int64_t size = extension.size ? *extension.size : size_of(header);
      const bool link_or_device = type >= '1' && type <= '6';  // no bytes, whatever size they say
      const int64_t begin = skip(link_or_device ? 0 : size);
      if ((type == '0' || type == '\0' || type == '7') && !name.ends_with('/'))
        all.push_back({name.starts_with("./") ? name.substr(2) : name, begin, size});
      if (all.size() > most_members)
        throw Error(Exit::data, disk_.name() + " holds more than 10 million files");
      extension = {};
    }
    return all;
  }

 private:
  Error bad(const std::string& why) const {
    return {Exit::data, disk_.name() + " " + why + " (offset " + std::to_string(header_) + ")"};
  }
  Error sparse() const { return bad("holds a sparse file: pack it without --sparse"); }

  // The next header; false at the block of zeros behind the last.
  bool next(Block& header) {
    header_ = at_;
    if (disk_.read(at_, header.data(), block) < block)
      throw bad("is truncated: a tar archive ends with a block of zeros");
    at_ += block;
    if (std::all_of(header.begin(), header.end(), [](char c) { return c == '\0'; })) return false;
    if (number(header, 148, 8) != checksum(header))
      throw bad(header_ == 0 ? "is not a tar archive, or a compressed one"
                             : "is corrupt: a header has another checksum");
    return true;
  }

  int64_t size_of(const Block& header) const {
    const int64_t size = number(header, 124, 12);
    if (size < 0) throw bad("is corrupt: the size of a file is no number");
    return size;
  }

  // Where these bytes begin; goes on behind them.
  int64_t skip(int64_t size) {
    const int64_t begin = at_;
    if (size > disk_.size() - at_)
      throw bad("is truncated: a file has " + std::to_string(size) + " bytes, but " +
                std::to_string(disk_.size() - at_) + " are left");
    at_ += (size + block - 1) / block * block;
    return begin;
  }

  std::string content(const Block& header) {
    const int64_t size = size_of(header);
    if (size > most_name) throw bad("is corrupt: a name of more than 1 MiB");
    std::string bytes(static_cast<size_t>(size), '\0');
    disk_.read(skip(size), bytes.data(), size);
    return bytes;
  }

  static std::string path(const Block& header) {
    const std::string name(text(header, 0, 100)), prefix(text(header, 345, 155));
    const bool posix = text(header, 257, 6) == "ustar";  // GNU keeps other things there
    return posix && !prefix.empty() ? prefix + "/" + name : name;
  }

  // pax: of the next file, of all; GNU: the next file's name, the name that it links to.
  static bool extends(char type) {
    return type == 'x' || type == 'g' || type == 'L' || type == 'K';
  }

  void extend(char type, const std::string& bytes, Extension& extension) const {
    if (type == 'x') read_records(bytes, extension);
    if (type == 'L') extension.path = bytes.substr(0, bytes.find('\0'));
  }

  // "LENGTH KEY=VALUE\n", where LENGTH counts the whole record.
  void read_records(std::string_view records, Extension& extension) const {
    while (!records.empty()) {
      size_t length = 0;
      const char* end = records.data() + records.size();
      const auto digits = std::from_chars(records.data(), end, length);
      const auto start = static_cast<size_t>(digits.ptr - records.data()) + 1;
      const size_t equals = records.find('=');
      if (digits.ec != std::errc() || length > records.size() || start >= length ||
          records[start - 1] != ' ' || equals >= length || equals < start ||
          records[length - 1] != '\n')
        throw bad("is corrupt: a pax record is none");
      const std::string_view key = records.substr(start, equals - start);
      const std::string_view value = records.substr(equals + 1, length - equals - 2);
      if (key.starts_with("GNU.sparse.")) throw sparse();
      if (key == "path") extension.path = value;
      if (key == "size") {
        int64_t size = -1;
        std::from_chars(value.data(), value.data() + value.size(), size);
        if (size < 0) throw bad("is corrupt: the size of a file is no number");
        extension.size = size;
      }
      records.remove_prefix(length);
    }
  }

  const DiskFile& disk_;
  int64_t at_ = 0, header_ = 0;
};
}  // namespace

TarFile::TarFile(const std::filesystem::path& file)
    : disk_(file), members_(Walk(disk_).members()) {}

void TarFile::read(int64_t offset, std::span<char> out) const {
  if (disk_.read(offset, out.data(), std::ssize(out)) < std::ssize(out))
    throw Error(Exit::data, name() + " became shorter (offset " + std::to_string(offset) + ")");
}

std::string TarFile::read(const TarMember& member) const {
  std::string bytes(static_cast<size_t>(member.size), '\0');
  read(member.offset, bytes);
  return bytes;
}

}  // namespace weft

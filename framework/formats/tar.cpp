#include "framework/formats/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <unordered_map>

namespace weft {

namespace {
constexpr int64_t block = 512;
constexpr size_t most_members = 10'000'000;

// Switches to a UTF-8 locale while it lives, so that libarchive leaves names in UTF-8 as they are.
class Utf8Locale {
 public:
  Utf8Locale() : utf8_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)), before_(uselocale(utf8_)) {}
  ~Utf8Locale() {
    uselocale(before_);
    if (utf8_) freelocale(utf8_);
  }
  Utf8Locale(const Utf8Locale&) = delete;

 private:
  const locale_t utf8_, before_;
};

// A path without a leading "./".
std::string inner(std::string_view path) {
  return std::string(path.starts_with("./") ? path.substr(2) : path);
}

// Walks through the headers of an archive, one after the other.
class Walk {
 public:
  Walk(const DiskFile& disk, const std::filesystem::path& file) : disk_(disk), file_(file) {
    if (!tar_) throw std::bad_alloc();
    archive_read_support_format_tar(tar_.get());
    if (archive_read_open_fd(tar_.get(), disk.fd(), 1 << 16) != ARCHIVE_OK)
      throw bad("is not a tar archive, or a compressed one");
  }

  std::vector<FilePart> members() {
    while (next()) {
      if (archive_entry_hardlink(entry_))
        add_link();
      else if (archive_entry_filetype(entry_) == AE_IFREG)
        add_file();
      if (all_.size() > most_members)
        throw Error(Exit::data, disk_.name() + " holds more than 10 million files");
    }
    return std::move(all_);
  }

 private:
  int64_t header() const { return archive_read_header_position(tar_.get()); }
  Error bad(const std::string& why) const {
    return {Exit::data, disk_.name() + " " + why + " (offset " + std::to_string(header()) + ")"};
  }

  // Goes to the next header. Returns false at the block of zeros behind the last one.
  bool next() {
    const int status = archive_read_next_header(tar_.get(), &entry_);
    if (status == ARCHIVE_EOF) check_end();
    if (status != ARCHIVE_EOF && status != ARCHIVE_OK) {
      const char* why = archive_error_string(tar_.get());
      throw bad(std::string("is corrupt or truncated") + (why ? std::string(": ") + why : ""));
    }
    if (end_ >= 0 && header() != end_) throw bad("is corrupt: a file has another size");
    end_ = -1;
    return status == ARCHIVE_OK;
  }

  void check_end() const {
    std::array<char, block> last{};
    if (disk_.read(header(), last.data(), block) < block ||
        std::any_of(last.begin(), last.end(), [](char c) { return c != '\0'; }))
      throw bad("is truncated: a tar archive ends with a block of zeros");
  }

  std::string name() const {
    const char* path = archive_entry_pathname(entry_);
    if (!path || !*path) throw bad("is corrupt: a file has no name");
    return inner(path);
  }

  void add_file() {
    const int64_t begin = archive_filter_bytes(tar_.get(), 0), size = archive_entry_size(entry_);
    if (archive_entry_sparse_count(entry_) > 0)
      throw bad("holds a sparse file: pack it without --sparse");
    if (size < 0 || size > disk_.size() - begin)
      throw bad("is truncated: a file has " + std::to_string(size) + " bytes, but " +
                std::to_string(disk_.size() - begin) + " are left");
    end_ = begin + (size + block - 1) / block * block;
    all_.emplace_back(file_, name(), begin, size);
  }

  // Adds a hard link: another name of an earlier file.
  void add_link() {
    for (; named_ < all_.size(); ++named_) numbers_[all_[named_].member] = named_;
    const std::string target = inner(archive_entry_hardlink(entry_));
    const auto found = numbers_.find(target);
    if (found == numbers_.end())
      throw bad("holds a hard link to a file that is not before it, " + target);
    const FilePart& file = all_[found->second];
    all_.emplace_back(file_, name(), file.begin, file.size);
  }

  const DiskFile& disk_;
  const std::filesystem::path& file_;
  const Utf8Locale locale_;
  const std::unique_ptr<archive, int (*)(archive*)> tar_{archive_read_new(), archive_read_free};
  archive_entry* entry_ = nullptr;
  int64_t end_ = -1;  // where the previous entry's bytes end; -1 if it was no file
  std::vector<FilePart> all_;
  std::unordered_map<std::string, size_t> numbers_;  // by path: the first `named_` of all_
  size_t named_ = 0;
};
}  // namespace

std::vector<FilePart> tar_members(const std::filesystem::path& file) {
  const DiskFile disk(file);
  return Walk(disk, file).members();
}

}  // namespace weft

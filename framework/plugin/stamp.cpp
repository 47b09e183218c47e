#include "framework/plugin/stamp.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace weft {
namespace {

constexpr std::string_view section_name(".weft\0", 6);

class File {
 public:
  explicit File(const std::filesystem::path& path)
      : path_(path.string()), fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (fd_ < 0) refuse(errno == ENOENT ? "does not exist" : unreadable());
    struct stat status;
    if (fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) {
      close(fd_);
      refuse("is not a file");
    }
    size_ = static_cast<uint64_t>(status.st_size);
  }
  ~File() { close(fd_); }
  File(const File&) = delete;

  uint64_t size() const { return size_; }
  bool holds(uint64_t offset, uint64_t count) const {
    return offset <= size_ && count <= size_ - offset;
  }
  void read(uint64_t offset, void* to, uint64_t count) const {
    const ssize_t got = pread(fd_, to, count, static_cast<off_t>(offset));
    if (got < 0) refuse(unreadable());
    if (static_cast<uint64_t>(got) != count) truncated(offset + count);
  }
  template <class T>
  std::vector<T> table(uint64_t offset, size_t count) const {
    std::vector<T> rows(count);
    read(offset, rows.data(), count * sizeof(T));
    return rows;
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(Exit::plugin, path_ + " " + what);
  }
  [[noreturn]] void truncated(uint64_t whole) const {
    refuse("is truncated: it has " + std::to_string(size_) + " bytes of " + std::to_string(whole));
  }

 private:
  static std::string unreadable() { return std::string("cannot be read: ") + strerror(errno); }

  std::string path_;
  int fd_;
  uint64_t size_ = 0;
};

uint64_t end_of(uint64_t offset, uint64_t count) {
  return count > UINT64_MAX - offset ? UINT64_MAX : offset + count;
}

Elf64_Ehdr read_header(const File& file) {
  Elf64_Ehdr header{};
  file.read(0, &header, std::min<uint64_t>(file.size(), sizeof header));
  const size_t magic = std::min<uint64_t>(file.size(), SELFMAG);
  if (std::memcmp(header.e_ident, ELFMAG, magic) != 0) file.refuse("is not a shared library");
  if (file.size() < sizeof header) file.truncated(sizeof header);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != EM_X86_64)
    file.refuse("is for another machine: weft runs on x86-64");
  if (header.e_type != ET_DYN || header.e_phentsize != sizeof(Elf64_Phdr) ||
      (header.e_shnum > 0 && header.e_shentsize != sizeof(Elf64_Shdr)))
    file.refuse("is not a shared library");
  return header;
}

// Throws if the file ends before its segments do: the loader would map them all the same, and using
// memory beyond the file's end is a fault.
void check_size(const File& file, const Elf64_Ehdr& header) {
  const uint64_t segments_end = end_of(header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr));
  const uint64_t sections_end = end_of(header.e_shoff, header.e_shnum * sizeof(Elf64_Shdr));
  uint64_t whole = std::max(segments_end, sections_end);
  if (whole > file.size()) file.truncated(whole);
  for (const auto& segment : file.table<Elf64_Phdr>(header.e_phoff, header.e_phnum))
    if (segment.p_type == PT_LOAD)
      whole = std::max(whole, end_of(segment.p_offset, segment.p_filesz));
  if (whole > file.size()) file.truncated(whole);
}

PluginStamp find_stamp(const File& file, const Elf64_Ehdr& header) {
  const auto sections = file.table<Elf64_Shdr>(header.e_shoff, header.e_shnum);
  if (header.e_shstrndx < sections.size()) {
    const Elf64_Shdr& names = sections[header.e_shstrndx];
    for (const Elf64_Shdr& section : sections) {
      std::array<char, section_name.size()> name;
      const uint64_t at = end_of(names.sh_offset, section.sh_name);
      if (section.sh_type != SHT_PROGBITS || !file.holds(at, name.size())) continue;
      file.read(at, name.data(), name.size());
      if (std::string_view(name.data(), name.size()) != section_name) continue;
      PluginStamp stamp{};
      const uint64_t count = std::min<uint64_t>(section.sh_size, sizeof stamp);
      if (!file.holds(section.sh_offset, count)) file.truncated(end_of(section.sh_offset, count));
      file.read(section.sh_offset, &stamp, count);
      if (std::memcmp(stamp.magic, "weftplug", sizeof stamp.magic) == 0) return stamp;
    }
  }
  file.refuse("is not a weft plugin");
}

// Is it printable text that ends within its array?
template <size_t N>
bool is_text(const char (&text)[N]) {
  const char* const end = std::find(text, text + N, '\0');
  return end != text && end != text + N &&
         std::all_of(text, end, [](char c) { return c >= ' ' && c <= '~'; });
}

std::vector<std::string> parts(std::string_view build) {
  std::vector<std::string> all;
  while (true) {
    const size_t bar = build.find(" | ");
    all.emplace_back(build.substr(0, bar));
    if (bar == std::string_view::npos) return all;
    build.remove_prefix(bar + 3);
  }
}

void check_build(const File& file, const std::string& theirs, const std::string& ours) {
  if (theirs == ours) return;
  const std::vector<std::string> a = parts(theirs), b = parts(ours);
  const size_t i = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
  file.refuse("was built with " + (i < a.size() ? a[i] : "nothing") + ", this weft with " +
              (i < b.size() ? b[i] : "nothing") + ": rebuild it against this weft (it is `" +
              theirs + "`, this is `" + ours + "`)");
}

}  // namespace

PluginStamp read_stamp(const std::filesystem::path& path) {
  static_assert(std::endian::native == std::endian::little);
  const File file(path);
  const Elf64_Ehdr header = read_header(file);
  check_size(file, header);
  const PluginStamp stamp = find_stamp(file, header);
  if (stamp.abi != plugin_abi)
    file.refuse("has the plugin ABI " + std::to_string(stamp.abi) + ", this weft has " +
                std::to_string(plugin_abi) + ": rebuild it against this weft");
  if (stamp.size != sizeof stamp || !is_text(stamp.name) || !is_text(stamp.version) ||
      !is_text(stamp.build))
    file.refuse("has a damaged stamp: rebuild it");
  check_build(file, stamp.build, build_string());
  return stamp;
}

}  // namespace weft

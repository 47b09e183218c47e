#include "framework/plugin/elf_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "framework/node/error.h"

namespace weft {
namespace {

std::string unreadable() {
  return std::string("cannot be read: ") + strerror(errno);
}

uint64_t end_of(uint64_t offset, uint64_t count) {
  return count > UINT64_MAX - offset ? UINT64_MAX : offset + count;
}

}  // namespace

ElfFile::ElfFile(const std::filesystem::path& path)
    : path_(path.string()), fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (fd_ < 0) refuse(errno == ENOENT ? "does not exist" : unreadable());
  try {
    struct stat status;
    if (fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) refuse("is not a file");
    size_ = static_cast<uint64_t>(status.st_size);
    read_header();
    check_size();
  } catch (...) {
    close(fd_);
    throw;
  }
}

ElfFile::~ElfFile() {
  close(fd_);
}

void ElfFile::read(uint64_t offset, void* to, uint64_t count) const {
  const ssize_t got = pread(fd_, to, count, static_cast<off_t>(offset));
  if (got < 0) refuse(unreadable());
  if (static_cast<uint64_t>(got) != count) truncated(offset + count);
}

void ElfFile::refuse(const std::string& what) const {
  throw Error(Exit::plugin, path_ + " " + what);
}

void ElfFile::truncated(uint64_t whole) const {
  refuse("is truncated: it has " + std::to_string(size_) + " bytes of " + std::to_string(whole));
}

void ElfFile::read_header() {
  read(0, &header_, std::min<uint64_t>(size_, sizeof header_));
  const size_t magic = std::min<uint64_t>(size_, SELFMAG);
  if (std::memcmp(header_.e_ident, ELFMAG, magic) != 0) refuse("is not a shared library");
  if (size_ < sizeof header_) truncated(sizeof header_);
  if (header_.e_ident[EI_CLASS] != ELFCLASS64 || header_.e_ident[EI_DATA] != ELFDATA2LSB ||
      header_.e_machine != EM_X86_64)
    refuse("is for another machine: weft runs on x86-64");
  if (header_.e_type != ET_DYN || header_.e_phentsize != sizeof(Elf64_Phdr) ||
      (header_.e_shnum > 0 && header_.e_shentsize != sizeof(Elf64_Shdr)))
    refuse("is not a shared library");
}

// The loader maps segments without a look at the file's size; past its end, memory faults.
void ElfFile::check_size() const {
  const uint64_t segments_end = end_of(header_.e_phoff, header_.e_phnum * sizeof(Elf64_Phdr));
  const uint64_t sections_end = end_of(header_.e_shoff, header_.e_shnum * sizeof(Elf64_Shdr));
  uint64_t whole = std::max(segments_end, sections_end);
  if (whole > size_) truncated(whole);
  for (const auto& segment : table<Elf64_Phdr>(header_.e_phoff, header_.e_phnum))
    if (segment.p_type == PT_LOAD)
      whole = std::max(whole, end_of(segment.p_offset, segment.p_filesz));
  if (whole > size_) truncated(whole);
}

std::vector<Elf64_Shdr> ElfFile::sections() const {
  return table<Elf64_Shdr>(header_.e_shoff, header_.e_shnum);
}

uint64_t ElfFile::name_of(const Elf64_Shdr& section) const {
  if (header_.e_shstrndx >= header_.e_shnum) return UINT64_MAX;
  Elf64_Shdr names;
  read(header_.e_shoff + header_.e_shstrndx * sizeof names, &names, sizeof names);
  return end_of(names.sh_offset, section.sh_name);
}

std::vector<std::string> ElfFile::exports() const {
  std::vector<std::string> all;
  const auto sections = this->sections();
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_DYNSYM || section.sh_link >= sections.size()) continue;
    const Elf64_Shdr& names = sections[section.sh_link];
    auto text = table<char>(names.sh_offset, names.sh_size);
    text.push_back('\0');
    for (const auto& symbol :
         table<Elf64_Sym>(section.sh_offset, section.sh_size / sizeof(Elf64_Sym)))
      if (symbol.st_shndx != SHN_UNDEF && symbol.st_name < text.size())
        all.emplace_back(&text[symbol.st_name]);
  }
  return all;
}

}  // namespace weft

// A shared library's file, read without loading it.
#pragma once

#include <elf.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace weft {

class ElfFile {
 public:
  // Throws Error(Exit::plugin), as all that follows does, one sentence that names the file: it does
  // not exist, is no shared library of this machine, or is truncated.
  explicit ElfFile(const std::filesystem::path& path);
  ~ElfFile();
  ElfFile(const ElfFile&) = delete;

  bool holds(uint64_t offset, uint64_t count) const {
    return offset <= size_ && count <= size_ - offset;
  }
  void read(uint64_t offset, void* to, uint64_t count) const;
  std::vector<Elf64_Shdr> sections() const;
  uint64_t name_of(const Elf64_Shdr& section) const;  // where its name stands
  std::vector<std::string> exports() const;           // the symbols that it defines for others

  [[noreturn]] void refuse(const std::string& what) const;  // "FILE `what`"
  [[noreturn]] void truncated(uint64_t whole) const;

 private:
  void read_header();
  void check_size() const;
  template <class T>
  std::vector<T> table(uint64_t offset, uint64_t count) const {
    if (count > size_ / sizeof(T)) truncated(offset + count * sizeof(T));
    std::vector<T> rows(count);
    read(offset, rows.data(), count * sizeof(T));
    return rows;
  }

  std::string path_;
  int fd_;
  uint64_t size_ = 0;
  Elf64_Ehdr header_{};
};

}  // namespace weft

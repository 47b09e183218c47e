// A file, or a part of one, that any thread may read anywhere.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include "framework/node/error.h"

namespace weft {

// A file, or the bytes in it that are a member of an archive.
struct FilePart {
  std::filesystem::path file;
  std::string member;           // its path in the archive; "" is the whole file
  int64_t begin = 0, size = 0;  // bytes of the archive that are the member

  FilePart() = default;
  FilePart(std::filesystem::path whole) : file(std::move(whole)) {}
  FilePart(std::filesystem::path archive, std::string member, int64_t begin, int64_t size)
      : file(std::move(archive)), member(std::move(member)), begin(begin), size(size) {}

  // What messages call it.
  std::string name() const {
    return member.empty() ? file.string() : member + " in " + file.string();
  }
};

// ".png" of "A.PNG".
inline std::string lower_extension(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

class DiskFile {
 public:
  // Throws Error(data) if there is no such file, or it is a folder, pipe or device.
  explicit DiskFile(const FilePart& part)
      : name_(part.name()),
        fd_(::open(part.file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)),
        begin_(part.begin) {
    struct stat status {};
    if (fd_ < 0) throw Error(Exit::data, "cannot open " + name_ + ": " + std::strerror(errno));
    const bool regular = ::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
    if (!regular) ::close(fd_);
    if (!regular) throw Error(Exit::data, name_ + " is not a file");
    size_ = part.member.empty() ? status.st_size : part.size;
  }
  ~DiskFile() { ::close(fd_); }
  DiskFile(const DiskFile&) = delete;

  const std::string& name() const { return name_; }
  int64_t size() const { return size_; }
  int fd() const { return fd_; }  // the whole file, for libraries that read it themselves

  // Returns less than `n` at the end only.
  int64_t read(int64_t offset, void* out, int64_t n) const {
    int64_t got = 0;
    n = std::clamp<int64_t>(size_ - offset, 0, n);
    while (got < n) {
      const ssize_t now = ::pread(fd_, static_cast<char*>(out) + got, static_cast<size_t>(n - got),
                                  begin_ + offset + got);
      if (now == 0) break;
      if (now > 0)
        got += now;
      else if (errno != EINTR)
        throw Error(Exit::data, "cannot read " + name_ + " (offset " +
                                    std::to_string(offset + got) + "): " + std::strerror(errno));
    }
    return got;
  }

 private:
  std::string name_;
  int fd_;
  int64_t begin_, size_ = 0;
};

}  // namespace weft

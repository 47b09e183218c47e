// An open file that any thread may read anywhere.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "framework/node/error.h"

namespace weft {

class DiskFile {
 public:
  // Throws Error(data) if there is no such file, or it is a folder, pipe or device.
  explicit DiskFile(const std::string& name)
      : name_(name), fd_(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    struct stat status {};
    if (fd_ < 0) throw Error(Exit::data, "cannot open " + name + ": " + std::strerror(errno));
    const bool regular = ::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
    if (!regular) ::close(fd_);
    if (!regular) throw Error(Exit::data, name + " is not a file");
    size_ = status.st_size;
  }
  ~DiskFile() { ::close(fd_); }
  DiskFile(const DiskFile&) = delete;

  const std::string& name() const { return name_; }
  int64_t size() const { return size_; }

  // Returns less than `n` at the end of the file only.
  int64_t read(int64_t offset, void* out, int64_t n) const {
    int64_t got = 0;
    while (got < n) {
      const ssize_t now =
          ::pread(fd_, static_cast<char*>(out) + got, static_cast<size_t>(n - got), offset + got);
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
  int64_t size_ = 0;
};

}  // namespace weft

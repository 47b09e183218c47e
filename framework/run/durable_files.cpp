#include "framework/run/durable_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weft {

namespace fs = std::filesystem;

namespace {
std::string reason(int error) {
  return std::generic_category().message(error);
}

[[noreturn]] void cannot(const std::string& verb, const fs::path& path, int error) {
  throw Error(Place{path.string()}, "cannot be " + verb + ": " + reason(error), Exit::resources);
}

[[noreturn]] void unreadable(const fs::path& path, int error) {
  const bool damaged =
      error != EACCES && error != EPERM && error != EMFILE && error != ENFILE && error != ENOMEM;
  throw Error(Place{path.string()},
              error == ENOENT ? "is missing" : "cannot be read: " + reason(error),
              damaged ? Exit::checkpoint : Exit::resources);
}

int open_retrying(const fs::path& path, int flags, mode_t mode = 0) {
  int fd = -1;
  do fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  return fd;
}

fs::path parent(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : ".";
}

fs::path temporary_beside(const fs::path& path) {
  static std::atomic<uint64_t> count{0};
  std::string name = ".tmp-";
  name += path.filename().string();
  for (const uint64_t number : {count++, static_cast<uint64_t>(::getpid())})
    (name += '-') += std::to_string(number);
  return parent(path) / name;
}

void sync(int fd, const fs::path& path) {
  int result = 0;
  do result = ::fsync(fd);
  while (result < 0 && errno == EINTR);
  if (result < 0) cannot("made durable", path, errno);
}
}  // namespace

Descriptor::Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Descriptor::~Descriptor() {
  close();
}

int Descriptor::close() {
  const int fd = std::exchange(fd_, -1);
  return fd >= 0 && ::close(fd) < 0 && errno != EINTR ? errno : 0;
}

struct Checksum::State {
  XXH3_state_t xxh3;
};

Checksum::Checksum() : state_(std::make_unique<State>()) {
  XXH3_64bits_reset(&state_->xxh3);
}

Checksum::~Checksum() = default;

void Checksum::add(const void* data, size_t size) {
  if (size > 0) XXH3_64bits_update(&state_->xxh3, data, size);
}

std::string Checksum::str() const {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(XXH3_64bits_digest(&state_->xxh3)));
  return text;
}

std::string Checksum::of(std::string_view text) {
  Checksum checksum;
  checksum.add(text.data(), text.size());
  return checksum.str();
}

FileWriter::FileWriter(fs::path path)
    : path_(std::move(path)),
      file_(open_retrying(path_, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0666)) {
  if (!file_.open()) cannot("written", path_, errno);
}

void FileWriter::write(const void* data, size_t size) {
  const char* next = static_cast<const char*>(data);
  checksum_.add(data, size);
  bytes_ += size;
  while (size > 0) {
    const ssize_t done = ::write(file_.get(), next, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) cannot("written", path_, done < 0 ? errno : EIO);
    next += done;
    size -= static_cast<size_t>(done);
  }
}

FileRecord FileWriter::finish() {
  sync(file_.get(), path_);
  if (const int error = file_.close()) cannot("written", path_, error);
  return {bytes_, checksum_.str()};
}

LineWriter::LineWriter(fs::path path) : path_(std::move(path)) {}

std::string LineWriter::add(std::string_view line) {
  const std::scoped_lock lock(mutex_);
  waiting_.append(line).append("\n");
  return write();
}

std::string LineWriter::flush() {
  const std::scoped_lock lock(mutex_);
  return waiting_.empty() ? "" : write();
}

std::string LineWriter::write() {
  if (!file_.open()) file_ = Descriptor(open_retrying(path_, O_WRONLY | O_CREAT | O_APPEND, 0666));
  if (!file_.open()) return reason(errno);
  while (!waiting_.empty()) {
    const ssize_t done = ::write(file_.get(), waiting_.data(), waiting_.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return reason(done < 0 ? errno : EIO);
    waiting_.erase(0, static_cast<size_t>(done));
  }
  return "";
}

FileReader::FileReader(fs::path path)
    : path_(std::move(path)), file_(open_retrying(path_, O_RDONLY | O_NONBLOCK)) {
  struct stat status {};
  if (!file_.open() || ::fstat(file_.get(), &status) < 0) unreadable(path_, errno);
  if (!S_ISREG(status.st_mode))
    throw Error(Place{path_.string()}, "is not a regular file", Exit::checkpoint);
  size_ = static_cast<uint64_t>(status.st_size);
}

void FileReader::read(uint64_t offset, void* to, size_t size) const {
  char* next = static_cast<char*>(to);
  while (size > 0) {
    const ssize_t done = ::pread(file_.get(), next, size, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) unreadable(path_, errno);
    if (done == 0)
      throw Error(Place{path_.string()}, "ends at byte " + std::to_string(offset) + ", too early",
                  Exit::checkpoint);
    next += done;
    offset += static_cast<uint64_t>(done);
    size -= static_cast<size_t>(done);
  }
}

FileRecord FileReader::record() const {
  ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED);
  std::vector<char> piece(std::min<uint64_t>(size_, uint64_t{1} << 20));
  Checksum checksum;
  for (uint64_t offset = 0; offset < size_; offset += piece.size()) {
    const size_t size = std::min<uint64_t>(piece.size(), size_ - offset);
    read(offset, piece.data(), size);
    checksum.add(piece.data(), size);
  }
  return {size_, checksum.str()};
}

std::string FileReader::text(size_t limit) const {
  if (size_ > limit)
    throw Error(
        Place{path_.string()},
        "has " + std::to_string(size_) + " bytes; at most " + std::to_string(limit) + " are read",
        Exit::checkpoint);
  std::string text(size_, '\0');
  read(0, text.data(), text.size());
  return text;
}

void sync_directory(const fs::path& directory) {
  const Descriptor opened(open_retrying(directory, O_RDONLY | O_DIRECTORY));
  if (!opened.open()) cannot("made durable", directory, errno);
  if (::fsync(opened.get()) < 0 && errno != EINVAL)  // EINVAL: not needed here
    cannot("made durable", directory, errno);
}

void make_directory(const fs::path& directory) {
  if (::mkdir(directory.c_str(), 0777) < 0) cannot("made", directory, errno);
}

void rename_path(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) < 0)
    cannot("renamed to " + to.filename().string(), from, errno);
}

void remove_tree(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) cannot("removed", path, error.value());
}

void write_atomically(const fs::path& path, std::string_view text) {
  const fs::path temporary = temporary_beside(path);
  try {
    FileWriter file(temporary);
    file.write(text);
    file.finish();
    rename_path(temporary, path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_directory(parent(path));
}

void link_atomically(const fs::path& path, const std::string& target) {
  const fs::path temporary = temporary_beside(path);
  ::unlink(temporary.c_str());
  if (::symlink(target.c_str(), temporary.c_str()) < 0) cannot("made", path, errno);
  try {
    rename_path(temporary, path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_directory(parent(path));
}

LockFile::LockFile(const fs::path& path) : file_(open_retrying(path, O_RDWR | O_CREAT, 0666)) {
  if (!file_.open()) cannot("opened", path, errno);
  int result = 0;
  do result = ::flock(file_.get(), LOCK_EX | LOCK_NB);
  while (result < 0 && errno == EINTR);
  if (result < 0 && errno != EWOULDBLOCK) cannot("locked", path, errno);
  if (result < 0) {
    char pid[24] = "";
    const ssize_t size = ::pread(file_.get(), pid, sizeof pid - 1, 0);
    const int64_t number = size > 0 ? std::strtoll(pid, nullptr, 10) : 0;
    throw Error(Exit::usage, parent(path).string() + " is being trained by " +
                                 (number > 0 ? "process " + std::to_string(number)
                                             : std::string("another process")) +
                                 ": wait for it or give another -o");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file_.get(), 0) < 0 ||
      ::pwrite(file_.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
    cannot("written", path, errno);
}

}  // namespace weft

// Files that survive a crash: written whole, made durable, and only then given their name.
// A failure to write is an Error(Exit::resources) with the path and the system's reason.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "framework/node/error.h"

namespace weft {

// An open file of the system, closed at the end of its life.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  int close();  // 0, or the errno of a failure to write

 private:
  int fd_;
};

// XXH3-64 of a stream of bytes (Collet, xxHash 0.8).
class Checksum {
 public:
  Checksum();
  ~Checksum();

  void add(const void* data, size_t size);
  std::string str() const;  // 16 hexadecimal digits

  static std::string of(std::string_view text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What a file should hold.
struct FileRecord {
  uint64_t bytes = 0;
  std::string checksum;
  bool operator==(const FileRecord&) const = default;
};

// A file written from its beginning. What stood at `path` is lost.
class FileWriter {
 public:
  explicit FileWriter(std::filesystem::path path);

  void write(const void* data, size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  FileRecord finish();  // makes the file durable and closes it; returns what it should hold

 private:
  std::filesystem::path path_;
  Descriptor file_;
  Checksum checksum_;
  uint64_t bytes_ = 0;
};

// A file to which lines are added, for readers that follow it. Lines that cannot be written wait
// for the next one. Any thread may add.
class LineWriter {
 public:
  explicit LineWriter(std::filesystem::path path);

  std::string add(std::string_view line);  // why the file lacks lines, or ""
  std::string flush();                     // writes what waits; returns the same

 private:
  std::string write();

  std::filesystem::path path_;
  std::mutex mutex_;
  Descriptor file_;
  std::string waiting_;
};

// A regular file to read at any place; it is never mapped. Throws Error(Exit::checkpoint) if it is
// missing, no regular file, shorter than asked, or on a damaged disk; Error(Exit::resources) if
// this process may not read it.
class FileReader {
 public:
  explicit FileReader(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  uint64_t size() const { return size_; }
  void read(uint64_t offset, void* to, size_t size) const;  // all `size` bytes, or throws
  FileRecord record() const;  // reads the whole file, if possible past the cache
  std::string text(size_t limit) const;

 private:
  std::filesystem::path path_;
  Descriptor file_;
  uint64_t size_ = 0;
};

void sync_directory(const std::filesystem::path& directory);
void make_directory(const std::filesystem::path& directory);
void rename_path(const std::filesystem::path& from, const std::filesystem::path& to);
void remove_tree(const std::filesystem::path& path);  // it need not exist

// Replaces `path` by a file of this text: a reader, and a machine that loses power, sees the old
// text or the new, whole.
void write_atomically(const std::filesystem::path& path, std::string_view text);
// The same for a symbolic link to `target`.
void link_atomically(const std::filesystem::path& path, const std::string& target);

// A lock that the process that trains a run holds, by its file. It is released at the end of its
// life or of the process. A second holder gets Error(Exit::usage).
class LockFile {
 public:
  explicit LockFile(const std::filesystem::path& path);  // runs/NAME/run.lock

 private:
  Descriptor file_;
};

}  // namespace weft

// A store of what files hold, as arrays of T. A file is read when it is first asked for; up to 1
// GiB is kept. Any thread may read at any time.
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "framework/formats/file_part.h"

namespace weft {

// A kind of files, as messages name it.
struct FileKind {
  const char *name, *plural;
  const char* extensions;
  bool (*matches)(const std::filesystem::path&);
};

template <class T>
class FileStore {
 public:
  explicit FileStore(std::vector<FilePart> files)
      : files_(std::move(files)),
        owned_(files_.size()),
        ready_(files_.size()),
        tried_(files_.size()) {}
  virtual ~FileStore() = default;

  const std::vector<FilePart>& files() const { return files_; }

  // Throws Error(data) if it is plain at a glance that the file cannot be read.
  virtual void glance(size_t /*file*/) const {}

  // What the file holds, which is kept no longer. No other thread may read that file's now, other
  // than by this.
  std::vector<T> take(size_t file) const {
    {
      const std::scoped_lock lock(keeping_);
      if (ready_[file].exchange(nullptr)) {
        kept_ -= static_cast<int64_t>(owned_[file].size() * sizeof(T));
        return std::exchange(owned_[file], {});
      }
    }
    return decode(file);
  }

  // Why the file cannot be read, or "". It is tried when this is first asked.
  std::string complaint(size_t file) const {
    if (!tried_[file].load(std::memory_order_acquire)) {
      std::string why;
      try {
        with(file, [](const T*) {});
      } catch (const Error& error) {
        if (error.code() != Exit::data) throw;
        why = error.what();
      }
      const std::scoped_lock lock(keeping_);
      if (!why.empty()) complaints_[file] = why;
      tried_[file].store(true, std::memory_order_release);
    }
    const std::scoped_lock lock(keeping_);
    const auto found = complaints_.find(file);
    return found == complaints_.end() ? "" : found->second;
  }

 protected:
  virtual std::vector<T> decode(size_t file) const = 0;

  // Calls use() with what the file holds.
  template <class Use>
  void with(size_t file, Use use) const {
    with(file, use, [&] { return decode(file); });
  }
  // The same where make() says what it holds, if that is not kept.
  template <class Use, class Make>
  void with(size_t file, Use use, Make make) const {
    if (const T* ready = ready_[file].load(std::memory_order_acquire)) return use(ready);
    std::vector<T> fresh = make();
    use(fresh.data());
    const auto bytes = static_cast<int64_t>(fresh.size() * sizeof(T));
    const std::scoped_lock lock(keeping_);
    if (!owned_[file].empty() || kept_ + bytes > most_kept) return;
    kept_ += bytes;
    owned_[file] = std::move(fresh);
    ready_[file].store(owned_[file].data(), std::memory_order_release);
  }

 private:
  static constexpr int64_t most_kept = int64_t{1} << 30;  // bytes
  std::vector<FilePart> files_;
  mutable std::mutex keeping_;
  mutable int64_t kept_ = 0;
  mutable std::vector<std::vector<T>> owned_;
  mutable std::vector<std::atomic<const T*>> ready_;
  mutable std::vector<std::atomic<bool>> tried_;
  mutable std::map<size_t, std::string> complaints_;
};

}  // namespace weft

// What files hold, T after T: read when first asked for and kept up to 1 GiB. Any thread may read
// at any time.
#pragma once

#include <atomic>
#include <filesystem>
#include <mutex>
#include <utility>
#include <vector>

namespace weft {

// A kind of files, as sentences name it.
struct FileKind {
  const char* name;
  const char* extensions;
  bool (*matches)(const std::filesystem::path&);
};

template <class T>
class FileStore {
 public:
  explicit FileStore(std::vector<std::filesystem::path> files)
      : files_(std::move(files)), owned_(files_.size()), ready_(files_.size()) {}

  const std::vector<std::filesystem::path>& files() const { return files_; }

 protected:
  // Calls use(what the file holds), which read(path) returns.
  template <class Read, class Use>
  void with(size_t file, Read read, Use use) {
    if (const T* ready = ready_[file].load(std::memory_order_acquire)) return use(ready);
    std::vector<T> fresh = read(files_[file]);
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
  std::vector<std::filesystem::path> files_;
  std::mutex keeping_;
  int64_t kept_ = 0;
  std::vector<std::vector<T>> owned_;
  std::vector<std::atomic<const T*>> ready_;
};

}  // namespace weft

// What several nodes read of the same files, held once.
#pragma once

#include <map>
#include <memory>
#include <mutex>

namespace weft {

// What `make` returned for this key, as long as somebody holds it; else what it returns now.
template <class T, class Key, class Make>
std::shared_ptr<T> shared(const Key& key, Make make) {
  static std::mutex mutex;
  static std::map<Key, std::weak_ptr<T>> all;
  const std::scoped_lock lock(mutex);
  if (auto known = all[key].lock()) return known;
  std::shared_ptr<T> fresh = make();
  all[key] = fresh;
  return fresh;
}

}  // namespace weft

// Preloaded: the first $FAILING_WRITES writes to files with $FAILING_FILE in their path fail with
// the error $FAILING_ERROR, a number of errno.h.
#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace {
const char* path_of(int fd, char (&path)[4096]) {
  char link[32] = "/proc/self/fd/";
  int at = 14;
  for (int unit = 1'000'000; unit; unit /= 10)
    if (fd >= unit || unit == 1) link[at++] = static_cast<char>('0' + fd / unit % 10);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  path[size > 0 ? size : 0] = '\0';
  return path;
}
}  // namespace

extern "C" [[gnu::visibility("default")]] ssize_t write(int fd, const void* data, size_t size) {
  static const auto real =
      reinterpret_cast<ssize_t (*)(int, const void*, size_t)>(dlsym(RTLD_NEXT, "write"));
  static const char* const file = std::getenv("FAILING_FILE");
  static std::atomic<int> left = std::atoi(std::getenv("FAILING_WRITES"));
  char path[4096];
  if (std::strstr(path_of(fd, path), file) && left-- > 0) {
    errno = std::atoi(std::getenv("FAILING_ERROR"));
    return -1;
  }
  return real(fd, data, size);
}

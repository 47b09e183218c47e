// Messages to whoever watches, on standard error. Perhaps nobody does: the terminal may be closed,
// the pipe ended, the disk full. What cannot be written is dropped, and nothing else changes.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

namespace weft {

inline void tell(const std::string& text) {
  const char* at = text.data();
  for (size_t left = text.size(); left > 0;) {
    const ssize_t written = ::write(STDERR_FILENO, at, left);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    at += written, left -= static_cast<size_t>(written);
  }
}

template <class... T>
void tell(fmt::format_string<T...> format, T&&... values) {
  tell(fmt::format(format, std::forward<T>(values)...));
}

}  // namespace weft

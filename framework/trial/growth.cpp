#include "framework/trial/growth.h"

#include <chrono>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/allocator_interface.h>
#else
#include <malloc.h>
#endif

namespace weft::trial {

namespace {

int64_t allocated() {
#ifdef __SANITIZE_ADDRESS__  // which has its own malloc()
  return static_cast<int64_t>(__sanitizer_get_current_allocated_bytes());
#else
  const struct mallinfo2 now = mallinfo2();
  return static_cast<int64_t>(now.uordblks + now.hblkhd);
#endif
}

}  // namespace

std::string growth(const std::function<void(int64_t)>& step) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  int64_t number = 0;
  const auto up_to = [&](int64_t end) {
    while (number < end) step(number++);
    return allocated();
  };
  up_to(4);
  const std::chrono::duration<double> four = Clock::now() - start;
  const double affordable = 0.2 / (four.count() / 4 + 1e-9) / 8;
  int64_t begin = 4;
  while (begin < 256 && static_cast<double>(2 * begin) <= affordable) begin *= 2;
  const int64_t first = up_to(begin);
  int64_t last = first;
  for (int64_t end = 2 * begin; end <= 8 * begin; end *= 2) {
    const int64_t now = up_to(end);
    if (now <= last) return "";
    last = now;
  }
  const int64_t each = (last - first) / (7 * begin);
  return "grows by " + (each > 0 ? std::to_string(each) : "some") + " bytes each time, over " +
         std::to_string(8 * begin) + " times";
}

}  // namespace weft::trial

#include "framework/run/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "framework/run/tell.h"

namespace weft {

namespace {
// A number with commas: "12,400".
std::string grouped(int64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<int64_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<size_t>(at), ",");
  return text;
}

std::string clock(double seconds) {
  const auto s = static_cast<int64_t>(std::min(seconds, 3.6e8));
  return fmt::format("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}
}  // namespace

Progress::Progress(std::string verb, int64_t first, int64_t total, Style style)
    : verb_(std::move(verb)),
      first_(first),
      total_(total),
      live_(style == Style::bar || (style == Style::automatic && isatty(STDERR_FILENO))),
      silent_(style == Style::none) {}

Progress::~Progress() {
  if (shown_) tell("\n");
}

double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - warm_).count();
}

double Progress::samples_per_second() const {
  return seconds() > 0 ? static_cast<double>(samples_) / seconds() : 0;
}

std::string Progress::state(int64_t done, const std::string& values) const {
  std::string text = fmt::format("{} {}/{} {}% | {}", verb_, grouped(done), grouped(total_),
                                 100 * done / std::max<int64_t>(1, total_), values);
  if (done <= first_ + 1) return text;
  const double each = seconds() / static_cast<double>(done - first_ - 1);
  return text + fmt::format(" | {} samples/s | {} left",
                            grouped(static_cast<int64_t>(samples_per_second())),
                            clock(each * static_cast<double>(total_ - done)));
}

void Progress::clear() {
  if (shown_) tell("\r\033[K");
  shown_ = false;
}

void Progress::step(int64_t done, int64_t rows, const std::string& values) {
  const std::scoped_lock lock(mutex_);
  samples_ += rows;
  const auto now = Clock::now();
  if (done == first_ + 1) warm_ = now, samples_ = 0;  // the first step is not timed: it warms up
  const bool edge = done == first_ + 1 || done == total_;
  const auto pause = live_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(30'000);
  if (silent_ || (!edge && now - printed_ < pause)) return;
  printed_ = now;
  if (!live_) return tell("{}\n", state(done, values));
  tell("\r\033[K{}", state(done, values));
  shown_ = true;
}

void Progress::line(const std::string& text) {
  const std::scoped_lock lock(mutex_);
  if (silent_) return;
  clear();
  tell("{}\n", text);
}

}  // namespace weft

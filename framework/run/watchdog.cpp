#include "framework/run/watchdog.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace weft {

Watchdog::Watchdog(Patience patience, std::function<std::vector<std::string>()> busy,
                   std::function<void(const std::string&)> warn,
                   std::function<void(const std::string&, bool)> kill)
    : patience_(patience), busy_(std::move(busy)), warn_(std::move(warn)), kill_(std::move(kill)) {
  if (patience.warn > 0 || patience.kill > 0) thread_ = std::thread([this] { watch(); });
}

Watchdog::~Watchdog() {
  {
    const std::scoped_lock lock(mutex_);
    done_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Watchdog::watch() {
  using Clock = std::chrono::steady_clock;
  const auto never = std::numeric_limits<double>::infinity();
  const double kill = patience_.kill > 0 ? patience_.kill : never;
  const double every = patience_.warn > 0 ? patience_.warn : never;
  std::unique_lock lock(mutex_);
  uint64_t seen = beats_;
  auto since = Clock::now();
  double next = every;  // seconds without a beat at which to warn
  const auto waited = [&] { return std::chrono::duration<double>(Clock::now() - since).count(); };
  const auto pause = [&] {
    return std::chrono::duration<double>(std::max(std::min(next, kill) - waited(), 1e-3));
  };
  while (!wake_.wait_for(lock, pause(), [this] { return done_; })) {
    if (const uint64_t now = beats_; now != seen) {
      seen = now, since = Clock::now(), next = every;
      continue;
    }
    if (waited() < std::min(next, kill)) continue;
    auto names = busy_();
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    const std::string sentence =
        fmt::format("no step has ended for {:.0f} s; {}", waited(),
                    names.empty() ? "no node is running: the machine may be overloaded or stopped"
                                  : fmt::format("running: {}", fmt::join(names, ", ")));
    if (waited() >= kill) return kill_(sentence, !names.empty());
    warn_(sentence);
    next += every;
  }
}

}  // namespace weft

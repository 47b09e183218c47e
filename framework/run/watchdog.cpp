#include "framework/run/watchdog.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

namespace weft {

Watchdog::Watchdog(double seconds, std::function<std::vector<std::string>()> busy,
                   std::function<void(const std::string&)> warn)
    : seconds_(seconds), busy_(std::move(busy)), warn_(std::move(warn)) {
  if (seconds > 0) thread_ = std::thread([this] { watch(); });
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
  std::unique_lock lock(mutex_);
  uint64_t seen = beats_;
  double waited = 0;
  while (!wake_.wait_for(lock, std::chrono::duration<double>(seconds_), [this] { return done_; })) {
    if (const uint64_t now = beats_; now != seen) {
      seen = now, waited = 0;
      continue;
    }
    waited += seconds_;
    auto names = busy_();
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    warn_(fmt::format("no step has ended for {:.0f} s; {}", waited,
                      names.empty() ? "no node is running: the machine may be overloaded or stopped"
                                    : fmt::format("running: {}", fmt::join(names, ", "))));
  }
}

}  // namespace weft

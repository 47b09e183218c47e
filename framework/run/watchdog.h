// Says what a step waits for when it takes too long.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weft {

class Watchdog {
 public:
  // `busy` names what runs just now; `warn` gets a sentence when no beat came for `seconds` (0:
  // never), and again each time that span has passed.
  Watchdog(double seconds, std::function<std::vector<std::string>()> busy,
           std::function<void(const std::string&)> warn);
  ~Watchdog();

  void beat() { ++beats_; }  // a step has ended

 private:
  void watch();

  const double seconds_;
  std::function<std::vector<std::string>()> busy_;
  std::function<void(const std::string&)> warn_;
  std::atomic<uint64_t> beats_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace weft

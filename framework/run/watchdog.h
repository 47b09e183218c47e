// Reports what runs when a step takes too long, and ends a process whose step never ends.
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
  struct Patience {
    double warn = 0, kill = 0;  // seconds without a beat; 0: never
  };
  // `busy` names what runs just now. `warn` is called with a sentence each time that
  // `patience.warn` seconds more have passed without a beat; `kill` is called once, after
  // `patience.kill` seconds, with a sentence and with whether anything runs.
  Watchdog(Patience patience, std::function<std::vector<std::string>()> busy,
           std::function<void(const std::string&)> warn,
           std::function<void(const std::string&, bool)> kill);
  ~Watchdog();

  void beat() { ++beats_; }  // a step has ended

 private:
  void watch();

  const Patience patience_;
  std::function<std::vector<std::string>()> busy_;
  std::function<void(const std::string&)> warn_;
  std::function<void(const std::string&, bool)> kill_;
  std::atomic<uint64_t> beats_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace weft

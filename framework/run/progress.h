// What a person sees of a run: one live line on a terminal, plain lines elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace weft {

class Progress {
 public:
  enum class Style { automatic, bar, plain, none };

  // `total` is the number of steps in all, `first` the one at which this process begins.
  Progress(std::string verb, int64_t first, int64_t total, Style style);
  ~Progress();

  // Called after a step of `rows` samples; `values` is "loss 105.2". Prints at most ten times a
  // second on a terminal, every 30 s elsewhere, and after the first and the last step.
  void step(int64_t done, int64_t rows, const std::string& values);
  void line(const std::string& text);  // prints a line of its own, above the live one

  double samples_per_second() const;

 private:
  using Clock = std::chrono::steady_clock;
  double seconds() const;  // since the first step
  std::string state(int64_t done, const std::string& values) const;
  void clear();

  std::mutex mutex_;  // the watchdog speaks from its own thread
  std::string verb_;
  int64_t first_, total_, samples_ = 0;
  bool live_, silent_, shown_ = false;
  Clock::time_point warm_ = Clock::now(), printed_{};  // warm_: the end of the first step
};

}  // namespace weft

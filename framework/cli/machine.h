// Measurements for `weft bench` and `weft profile`: of what this machine can do, and of what this
// process has used.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "framework/node/dnn.h"

namespace weft::cli {

int usable_cores();
double process_seconds();  // since the process was started
double resident_mib();     // the most memory that it has held

// The seconds that the work takes.
template <class Work>
double seconds(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Calls step(n) for n = 0, 1, … until files have been read once and caches are warm: for an epoch,
// but at least 10 steps and at most 3 seconds. Returns the number of steps.
int64_t warm_up(int64_t steps_per_epoch, const std::function<void(int64_t)>& step);

// The most operations that one thread does in a second, measured as the best of many plain matrix
// products; in bf16 with the rounding of their operands.
class Peak {
 public:
  explicit Peak(Precision precision) : product_(made(precision)) {}
  void measure();
  double flops() const { return best_; }

 private:
  static constexpr int64_t side = 512;
  static std::vector<float> filled() { return std::vector<float>(side * side, 0.5F); }

  static Matmul made(Precision precision) {
    const PrecisionScope scope(precision);
    return {Matrix::plain(side, side), Matrix::plain(side, side), Matrix::plain(side, side)};
  }

  std::vector<float> a_ = filled(), b_ = filled(), c_ = filled();
  Matmul product_;
  double best_ = 0;
};

// The most bytes that one thread reads and writes in a second, copying what no cache can hold.
double copied_bytes();

}  // namespace weft::cli

#include "framework/cli/machine.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>

namespace weft::cli {

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

// The start of the process is field 22 of its entry in /proc, in ticks since boot.
double process_seconds() {
  std::string stat;
  std::getline(std::ifstream("/proc/self/stat"), stat);
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) fields >> field;
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const double ticks = std::strtod(field.c_str(), nullptr);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9 -
         ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double resident_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

int64_t warm_up(int64_t steps_per_epoch, const std::function<void(int64_t)>& step) {
  double spent = 0;
  int64_t n = 0;
  for (; n < std::max<int64_t>(10, steps_per_epoch) && (n < 10 || spent < 3); ++n)
    spent += seconds([&] { step(n); });
  return n;
}

void Peak::measure() {
  for (int i = 0; i < 8; ++i)
    best_ = std::max(best_, 2.0 * side * side * side /
                                seconds([&] { product_(a_.data(), b_.data(), c_.data()); }));
}

double copied_bytes() {
  const std::vector<float> from(1 << 24, 1.0F);
  std::vector<float> to(from.size());
  double best = 0;
  for (int i = 0; i < 8; ++i)
    best = std::max(best, 2.0 * static_cast<double>(from.size() * sizeof(float)) /
                              seconds([&] { std::copy(from.begin(), from.end(), to.begin()); }));
  return best;
}

}  // namespace weft::cli

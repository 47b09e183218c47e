// weft bench: the training step against what the machine's arithmetic allows
#include <fmt/core.h>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "framework/cli/commands.h"
#include "framework/node/dnn.h"
#include "framework/run/engine.h"

namespace weft::cli {

namespace {
using Clock = std::chrono::steady_clock;
constexpr int64_t first_warm_up = 20, warm_up = 5;  // steps that are not timed
constexpr int64_t round_steps = 25;  // of each number of threads in turn: noise is shared

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Since the process was started, by its entry in /proc (field 22, in ticks since boot).
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

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

// The most f32 operations that one thread does in a second: the best of many plain products.
class Peak {
 public:
  void measure() {
    for (int i = 0; i < 8; ++i) {
      const auto start = Clock::now();
      product_(a_.data(), b_.data(), c_.data());
      best_ = std::max(best_, 2.0 * side * side * side / seconds_since(start));
    }
  }
  double flops() const { return best_; }

 private:
  static constexpr int64_t side = 512;
  static std::vector<float> filled(float value) {
    return std::vector<float>(static_cast<size_t>(side * side), value);
  }

  std::vector<float> a_ = filled(0.5F), b_ = filled(0.25F), c_ = filled(0);
  Matmul product_{Matrix::plain(side, side), Matrix::plain(side, side), Matrix::plain(side, side)};
  double best_ = 0;
};

// The steps of one number of threads.
struct Timing {
  int threads;
  std::vector<double> seconds;
  int64_t next = 0;  // number of the next step

  double at(double share) const {  // of the sorted seconds
    const auto last = static_cast<double>(seconds.size() - 1);
    return seconds[static_cast<size_t>(std::llround(share * last))];
  }
};

class Bench {
 public:
  Bench(const BenchOptions& options, const Plan& plan, const Registry& registry)
      : options_(options), plan_(plan), registry_(registry) {
    model_.add(plan);
    for (const int threads : options.threads) timings_.push_back({threads, {}});
  }

  void run() {
    for (int64_t done = 0; done < options_.steps; done += round_steps)
      for (Timing& timing : timings_) {
        time(timing, std::min(round_steps, options_.steps - done));
        peak_.measure();
      }
    for (Timing& timing : timings_) std::sort(timing.seconds.begin(), timing.seconds.end());
  }

  nlohmann::ordered_json results() const {
    nlohmann::ordered_json json{{"pipeline", plan_.name},
                                {"batch_rows", plan_.rows},
                                {"lanes", plan_.lanes},
                                {"mflop_per_step", plan_.step_flops() / 1e6},
                                {"cores", cores_},
                                {"peak_gflops", peak_.flops() / 1e9},
                                {"first_step_seconds", first_step_},
                                {"peak_rss_mib", resident()}};
    for (const Timing& timing : timings_) {
      const double median = timing.at(0.5);
      const double floor = plan_.step_flops() / (peak_.flops() * std::min(timing.threads, cores_));
      json["timings"].push_back({{"threads", timing.threads},
                                 {"steps", timing.seconds.size()},
                                 {"median_ms", median * 1e3},
                                 {"p10_ms", timing.at(0.1) * 1e3},
                                 {"p90_ms", timing.at(0.9) * 1e3},
                                 {"samples_per_second", static_cast<double>(plan_.rows) / median},
                                 {"floor_ms", floor * 1e3},
                                 {"floor_share", floor / median}});
    }
    return json;
  }

 private:
  // One engine at a time: the fewest threads of all that live would bind them all.
  void time(Timing& timing, int64_t steps) {
    Engine engine(plan_, registry_, model_, {.threads = timing.threads});
    const auto step = [&] {
      engine.step(timing.next, timing.next % std::max<int64_t>(1, plan_.steps));
      ++timing.next;
    };
    const int64_t warm = timing.next == 0 ? first_warm_up : warm_up;
    for (int64_t i = 0; i < warm; ++i) {
      step();
      if (first_step_ == 0) first_step_ = process_seconds();
    }
    for (int64_t i = 0; i < steps; ++i) {
      const auto start = Clock::now();
      step();
      timing.seconds.push_back(seconds_since(start));
    }
  }

  static double resident() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
  }

  const BenchOptions& options_;
  const Plan& plan_;
  const Registry& registry_;
  Model model_;
  std::vector<Timing> timings_;
  Peak peak_;
  double first_step_ = 0;
  int cores_ = usable_cores();
};

void print_results(const nlohmann::ordered_json& json) {
  const auto number = [](const nlohmann::ordered_json& map, const char* key) {
    return map.at(key).get<double>();
  };
  fmt::print("{} — {} rows in {} lanes, {:.1f} MFLOP a step\n", json["pipeline"].get<std::string>(),
             json["batch_rows"].get<int64_t>(), json["lanes"].get<int64_t>(),
             number(json, "mflop_per_step"));
  fmt::print("one thread's peak {:.1f} GFLOP/s in f32, {} cores\n\n", number(json, "peak_gflops"),
             json["cores"].get<int>());
  fmt::print("{:>7} {:>8} {:>9} {:>8} {:>8} {:>10} {:>9} {:>8}\n", "threads", "steps", "median ms",
             "p10 ms", "p90 ms", "samples/s", "floor ms", "floor %");
  for (const auto& row : json["timings"])
    fmt::print("{:>7} {:>8} {:>9.3f} {:>8.3f} {:>8.3f} {:>10.0f} {:>9.3f} {:>8.1f}\n",
               row["threads"].get<int>(), row["steps"].get<int64_t>(), number(row, "median_ms"),
               number(row, "p10_ms"), number(row, "p90_ms"), number(row, "samples_per_second"),
               number(row, "floor_ms"), 100 * number(row, "floor_share"));
  fmt::print("\nfirst step {:.2f} s after the process started; peak memory {:.0f} MiB\n",
             number(json, "first_step_seconds"), number(json, "peak_rss_mib"));
  fmt::print("floor: the step's arithmetic at peak on every thread that has a core\n");
}
}  // namespace

Exit bench(const BenchOptions& options) {
  if (options.threads.empty()) throw Error("--threads needs at least one number");
  Mistakes mistakes;
  Pipeline pipeline = Pipeline::read(options.pipeline, options.sets, mistakes);
  const Registry registry = load_plugins_for(pipeline);
  const auto plan = Plan::build(pipeline, registry, Mode::train, mistakes);
  mistakes.check();
  Bench bench(options, *plan, registry);
  bench.run();
  if (options.json)
    fmt::print("{}\n", bench.results().dump());
  else
    print_results(bench.results());
  return Exit::done;
}

}  // namespace weft::cli

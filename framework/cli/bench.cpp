// weft bench: the training step against what the machine's arithmetic allows
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "framework/cli/commands.h"
#include "framework/cli/machine.h"
#include "framework/run/engine.h"

namespace weft::cli {

namespace {
constexpr int64_t settling = 5;      // steps of each turn that are not timed
constexpr int64_t round_steps = 25;  // steps of each number of threads in turn, to share noise

// The steps of one number of threads.
struct Timing {
  int threads;
  std::vector<double> seconds;
  int64_t next = 0;  // number of the next step

  double at(double share) const {  // a quantile of the seconds, which are sorted
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
                                {"precision", name(plan_.precision)},
                                {"peak_gflops", peak_.flops() / 1e9},
                                {"first_step_seconds", first_step_},
                                {"peak_rss_mib", resident_mib()}};
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
    const auto step = [&](int64_t) {
      engine.step(timing.next, timing.next % std::max<int64_t>(1, plan_.steps));
      ++timing.next;
      if (first_step_ == 0) first_step_ = process_seconds();
    };
    if (timing.next == 0) warm_up(plan_.steps_per_epoch(), step);
    for (int64_t i = 0; i < settling; ++i) step(i);
    for (int64_t i = 0; i < steps; ++i) timing.seconds.push_back(seconds([&] { step(i); }));
  }

  const BenchOptions& options_;
  const Plan& plan_;
  const Registry& registry_;
  Weights model_;
  std::vector<Timing> timings_;
  Peak peak_{plan_.precision};
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
  fmt::print("one thread's peak {:.1f} GFLOP/s in {}, {} cores\n\n", number(json, "peak_gflops"),
             json["precision"].get<std::string>(), json["cores"].get<int>());
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
  const Planned planned(options.pipeline, options.sets, Mode::train);
  Bench bench(options, *planned.plan, planned.registry);
  bench.run();
  if (options.json)
    fmt::print("{}\n", bench.results().dump());
  else
    print_results(bench.results());
  return Exit::done;
}

}  // namespace weft::cli

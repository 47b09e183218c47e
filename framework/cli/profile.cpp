// weft profile: where the time of a step goes
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "framework/cli/commands.h"
#include "framework/cli/machine.h"
#include "framework/cli/simulation.h"
#include "framework/run/durable_files.h"
#include "framework/run/engine.h"

namespace weft::cli {

namespace {
using Json = nlohmann::ordered_json;
using Clock = Trace::Clock;
using Span = Trace::Span;
constexpr size_t most_rows = 40;  // rows that the table of nodes may have
constexpr size_t traced_steps = 5;
constexpr int more_threads[] = {1, 2, 4, 8, 16, 32, 64};

double between(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

double median(std::vector<double> of) {
  const auto middle = of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2);
  std::nth_element(of.begin(), middle, of.end());
  return *middle;
}

// The cost in a step of one kind of work of a node.
struct Cost {
  double seconds = 0, flops = 0, bytes = 0;
  double times = 0;  // that each part of it is done

  Cost& operator+=(const Cost& other) {
    seconds += other.seconds, flops += other.flops, bytes += other.bytes;
    return *this;
  }
};

// A line of a table, about a node, a kind of nodes or a phase.
struct Row {
  std::string name, kind;
  Cost all;
  std::map<Work, double> seconds;

  void add(Work work, const Cost& cost) {
    all += cost;
    seconds[work] += cost.seconds;
  }
};

// The shares of the time of all threads in a step: the arithmetic at the machine's peak, what
// products take beyond that, all else that nodes and optimizers do, and the rest: the runtime and
// waiting.
struct Shares {
  double arithmetic, slower_products, other_work, rest;
};

// What tells the calls in a step apart: phase, node, work and part.
using Key = std::tuple<size_t, NodeId, Work, int64_t>;

class Profile {
 public:
  Profile(const ProfileOptions& options, const Plan& plan, const Registry& registry)
      : options_(options), plan_(plan) {
    model_.add(plan);
    const std::filesystem::path scratch =
        std::filesystem::temp_directory_path() / ("weft-profile-" + std::to_string(getpid()));
    threads_ = options.threads > 0 ? options.threads : usable_cores();
    {
      Engine engine(plan, registry, model_, {options.threads, scratch, &trace_});
      const auto run = [&](int64_t n) { engine.step(n, n % std::max<int64_t>(1, plan.steps)); };
      const int64_t first = warm_up(plan.steps_per_epoch(), run);
      trace_.clear();
      for (int64_t n = first; n < first + options.steps; ++n) {
        starts_.push_back(Clock::now());
        walls_.push_back(seconds([&] { run(n); }));
      }
    }
    std::filesystem::remove_all(scratch);
    peak_.measure();
    add_up();
  }

  Json results() const {
    Json json{{"pipeline", plan_.name},
              {"section", name(plan_.mode)},
              {"threads", threads_},
              {"steps", options_.steps},
              {"step_ms", step() * 1e3},
              {"floor_share", shares().arithmetic},
              {"precision", weft::name(plan_.precision)},
              {"peak_gflops", peak_.flops() / 1e9},
              {"copy_gbytes", copied_ / 1e9}};
    const Shares of = shares();
    json["shares"] = {{"arithmetic", of.arithmetic},
                      {"slower_products", of.slower_products},
                      {"other_work", of.other_work},
                      {"rest", of.rest}};
    json["busy"] = busy_;
    const auto list = [&](const char* name, const std::vector<Row>& rows) {
      for (const Row& row : rows) {
        Json line{{"name", row.name}, {"kind", row.kind}, {"ms", row.all.seconds * 1e3}};
        for (const auto& [work, s] : row.seconds) line[weft::name(work)] = s * 1e3;
        line["gflops"] = rate(row.all.flops, row), line["gbytes"] = rate(row.all.bytes, row);
        json[name].push_back(line);
      }
    };
    for (const auto& [threads, seconds] : scale_)
      json["scale"].push_back({{"threads", threads}, {"step_ms", seconds * 1e3}});
    list("phases", phases_), list("kinds", kinds_), list("nodes", nodes_);
    return json;
  }

  void print() const {
    fmt::print("{} — {}, {} thread{}, {} steps of {} rows in {} lane{}\n", plan_.name,
               name(plan_.mode), threads_, threads_ == 1 ? "" : "s", options_.steps, plan_.rows,
               plan_.lanes, plan_.lanes == 1 ? "" : "s");
    fmt::print("one thread does {:.0f} GFLOP/s in {} and copies {:.0f} GB/s from memory\n",
               peak_.flops() / 1e9, name(plan_.precision), copied_ / 1e9);
    const Shares of = shares();
    fmt::print(
        "a step takes {:.3f} ms: {:.0f} % are the arithmetic alone at that speed, {:.0f} % what "
        "its products take beyond,\n"
        "{:.0f} % other work of nodes and optimizers, {:.0f} % the rest: the runtime, waiting\n\n",
        step() * 1e3, 100 * of.arithmetic, 100 * of.slower_products, 100 * of.other_work,
        100 * of.rest);
    print_table("phase", phases_);
    print_table("kind", kinds_);
    print_table("node", nodes_);
    for (size_t i = 0; i < busy_.size(); ++i)
      fmt::print("thread {}: busy {:.1f} % of the time\n", i + 1, 100 * busy_[i]);
    fmt::print(
        "ms: of all threads together, in a step. GB/s: of ports and weights, touched once.\n");
    if (scale_.empty()) return fmt::print("--threads 1 also tells what more threads would do.\n");
    fmt::print("\nWhat the graph allows, with these times and memory as fast for all threads:\n");
    for (const auto& [threads, seconds] : scale_)
      fmt::print("{:>3} thread{} {:>9.3f} ms {:>6.2f} times as fast\n", threads,
                 threads == 1 ? " " : "s", seconds * 1e3, scale_[0].second / seconds);
  }

  // Writes the Trace Event Format, which https://perfetto.dev opens.
  void write_trace() const {
    const Clock::time_point from = starts_[starts_.size() - std::min(starts_.size(), traced_steps)];
    Json events = Json::array();
    const auto micros = [&](Clock::time_point at) { return between(from, at) * 1e6; };
    const auto threads = trace_.threads();
    for (size_t t = 0; t < threads.size(); ++t) {
      events.push_back({{"ph", "M"},
                        {"name", "thread_name"},
                        {"pid", 1},
                        {"tid", t + 1},
                        {"args", {{"name", "thread " + std::to_string(t + 1)}}}});
      for (const Span& span : threads[t]) {
        if (span.begin < from) continue;
        const PlanNode& node = plan_.nodes[span.node];
        events.push_back(
            {{"ph", "X"},
             {"pid", 1},
             {"tid", t + 1},
             {"name", node.path + " " + name(span.work)},
             {"cat", name(span.work)},
             {"ts", micros(span.begin)},
             {"dur", between(span.begin, span.end) * 1e6},
             {"args",
              {{"kind", node.kind}, {"part", span.part}, {"phase", phase_name(span.phase)}}}});
      }
    }
    write_atomically(options_.trace, Json{{"traceEvents", events}}.dump());
  }

 private:
  double step() const { return median(walls_); }

  Shares shares() const {
    const double all = step() * threads_, arithmetic = plan_.step_flops() / peak_.flops();
    return {arithmetic / all, (products_ - arithmetic) / all, others_ / all,
            1 - (products_ + others_) / all};
  }

  std::string phase_name(size_t phase) const {
    const auto& decl = plan_.phases[phase].decl;
    return decl ? decl->name : name(plan_.mode);
  }

  static double rate(double of, const Row& row) {
    return row.all.seconds > 0 ? of / row.all.seconds / 1e9 : 0;
  }

  void add_up() {
    std::map<Key, std::vector<double>> calls;
    const double wall = std::accumulate(walls_.begin(), walls_.end(), 0.0);
    for (const std::vector<Span>& spans : trace_.threads()) {
      double busy = 0;
      for (const Span& span : spans) {
        const double took = between(span.begin, span.end);
        calls[{span.phase, span.node, span.work, span.part}].push_back(took);
        busy += took;
      }
      busy_.push_back(busy / wall);
    }
    std::map<std::string, Row> phases, kinds, nodes;
    std::map<std::tuple<size_t, NodeId, Work>, Cost> costs;
    for (const auto& [key, each] : calls) {
      const auto& [phase, node, work, part] = key;
      const double often = static_cast<double>(each.size()) / static_cast<double>(walls_.size());
      Cost& cost = costs[{phase, node, work}];
      cost.seconds += median(each) * often;
      cost.times = std::max(cost.times, often);
    }
    for (auto& [key, cost] : costs) {
      const auto& [phase, n, work] = key;
      const PlanNode& node = plan_.nodes[n];
      cost.flops = cost.times * flops(phase, n, work);
      cost.bytes = cost.times * bytes(n, work);
      (cost.flops > 0 ? products_ : others_) += cost.seconds;
      phases[phase_name(phase)].add(work, cost);
      kinds[node.kind].add(work, cost);
      nodes[node.path].add(work, cost);
      nodes[node.path].kind = node.kind;
    }
    if (threads_ == 1) {
      const Simulation simulation(trace_, walls_.size(), wall);
      const double usual =
          step() / simulation.step(1);  // beside busy neighbours the mean is longer
      for (const int threads : more_threads)
        scale_.emplace_back(threads, simulation.step(threads) * usual);
    }
    phases_ = sorted(phases), kinds_ = sorted(kinds), nodes_ = sorted(nodes);
  }

  static std::vector<Row> sorted(std::map<std::string, Row>& rows) {
    std::vector<Row> all;
    for (auto& [name, row] : rows) {
      row.name = name;
      all.push_back(row);
    }
    std::sort(all.begin(), all.end(),
              [](const Row& a, const Row& b) { return a.all.seconds > b.all.seconds; });
    return all;
  }

  double flops(size_t p, NodeId n, Work work) const {
    const PlanPhase& phase = plan_.phases[p];
    const auto own = [&](NodeId node) { return plan_.nodes[node].node->flops(); };
    if (work == Work::forward) return own(n);
    if (work == Work::backward) return plan_.backward_flops(phase, n);
    const PlanLearn* learn = phase.learn(n);
    if (work != Work::learn || !learn) return 0;
    if (learn->in_lanes) return own(n);
    double all = 0;
    for (const NodeId use : learn->nodes) all += own(use);
    return all;
  }

  // The bytes that a call touches: for forward inputs, outputs and weights, for backward their
  // gradients as well.
  double bytes(NodeId n, Work work) const {
    const PlanNode& node = plan_.nodes[n];
    int64_t elements = 0;
    if (work != Work::forward && work != Work::backward) return 0;
    for (const auto* ports : {&node.inputs, &node.outputs})
      for (const ValueId value : *ports)
        if (value) elements += plan_.values[value].shape.elements();
    if (work == Work::backward) elements *= 2;
    for (const Weight* weight : node.node->host().weights)
      if (weight->present()) elements += weight->shape().elements();
    return static_cast<double>(elements) * sizeof(float);
  }

  void print_table(const char* title, const std::vector<Row>& rows) const {
    size_t wide = 20;
    for (const Row& row : rows) wide = std::max(wide, row.name.size());
    double all = 0;
    for (const Row& row : rows) all += row.all.seconds;
    fmt::print("{:<{}} {:>9} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7} {:>7}\n", title, wide, "ms",
               "%", "forward", "backward", "learn", "update", "other", "GF/s", "GB/s");
    for (size_t i = 0; i < std::min(rows.size(), most_rows); ++i) {
      const Row& row = rows[i];
      double other = row.all.seconds;
      fmt::print("{:<{}} {:>9.3f} {:>6.1f}", row.name, wide, row.all.seconds * 1e3,
                 100 * row.all.seconds / all);
      for (const Work work : {Work::forward, Work::backward, Work::learn, Work::update}) {
        const auto of = [&](Work one) {
          const auto found = row.seconds.find(one);
          return found == row.seconds.end() ? 0 : found->second;
        };
        const double s = of(work) + (work == Work::forward ? of(Work::observe) : 0);
        other -= s;
        fmt::print(" {:>9}", s > 0 ? fmt::format("{:.3f}", s * 1e3) : "");
      }
      fmt::print(" {:>9}", other > 5e-7 ? fmt::format("{:.3f}", other * 1e3) : "");
      fmt::print(" {:>7} {:>7.1f}\n",
                 row.all.flops > 0 ? fmt::format("{:.1f}", rate(row.all.flops, row)) : "",
                 rate(row.all.bytes, row));
    }
    if (rows.size() > most_rows)
      fmt::print("… and {} more (--json has all)\n", rows.size() - most_rows);
    fmt::print("\n");
  }

  const ProfileOptions& options_;
  const Plan& plan_;
  Weights model_;
  Trace trace_;
  Peak peak_{plan_.precision};
  double copied_ = copied_bytes();
  int threads_ = 1;
  std::vector<Clock::time_point> starts_;
  std::vector<double> walls_, busy_;  // seconds, by step and by thread
  double products_ = 0, others_ = 0;  // seconds of a step
  std::vector<Row> phases_, kinds_, nodes_;
  std::vector<std::pair<int, double>> scale_;  // threads, seconds of a step; if run on one
};
}  // namespace

Exit profile(const ProfileOptions& options) {
  const Planned planned(options.pipeline, options.sets, mode_of(options.section));
  const Profile profile(options, *planned.plan, planned.registry);
  if (options.json)
    fmt::print("{}\n", profile.results().dump());
  else
    profile.print();
  if (!options.trace.empty()) profile.write_trace();
  return Exit::done;
}

}  // namespace weft::cli

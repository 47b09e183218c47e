// weft doctor: what of this machine matters to weft, and what to do about it
#include <fmt/core.h>

#include <sched.h>
#include <sys/statvfs.h>
#include <tbb/version.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <optional>
#include <sstream>

#include "framework/cli/commands.h"
#include "framework/datasets/catalogue.h"
#include "framework/datasets/files.h"
#include "framework/node/dnn.h"
#include "framework/plan/machine_limits.h"
#include "framework/plugin/loader.h"
#include "framework/run/durable_files.h"

namespace weft::cli {

namespace {
namespace fs = std::filesystem;
constexpr double gibibyte = 1 << 30;

class Doctor {
 public:
  Exit look() {
    cpu();
    limits();
    memory();
    libraries();
    plugins();
    data();
    disk();
    pictures();
    return exit_;
  }

 private:
  void say(const char* mark, const std::string& what, const std::string& found) {
    fmt::print("{:<5} {:<10} {}\n", mark, what, found);
  }
  void ok(const std::string& what, const std::string& found) { say("ok", what, found); }
  void warn(const std::string& what, const std::string& found) { say("warn", what, found); }
  void broken(const std::string& what, const std::string& found, Exit code) {
    say("error", what, found);
    if (exit_ == Exit::done) exit_ = code;
  }
  void judge(bool good, const std::string& what, const std::string& found,
             const std::string& cure) {
    good ? ok(what, found) : warn(what, found + ": " + cure);
  }

  // The value of a line "key : value" of a file, or "".
  static std::string value_in(const fs::path& file, const std::string& key) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
      const size_t colon = line.find(':');
      if (colon == std::string::npos || !line.starts_with(key)) continue;
      const size_t begin = line.find_first_not_of(" \t", colon + 1);
      return begin == std::string::npos ? "" : line.substr(begin);
    }
    return "";
  }

  static std::string first_line(const fs::path& file) {
    std::string line;
    std::getline(std::ifstream(file), line);
    return line;
  }

  // The number of CPUs that the control group may use at once.
  static std::optional<double> quota() {
    double used = 0, period = 0;
    std::istringstream limit(group_limit("cpu.max"));
    if (!(limit >> used >> period)) {  // version 1
      std::istringstream(first_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")) >> used;
      std::istringstream(first_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us")) >> period;
    }
    return used > 0 && period > 0 ? std::optional(used / period) : std::nullopt;
  }

  void cpu() {
    const std::string model = value_in("/proc/cpuinfo", "model name");
    ok("cpu", model.empty() ? "of a kind that does not give its name" : model);
    const std::string isa = dnn_isa();
    judge(isa != "SSE41" && isa != "AVX" && isa != "unknown", "vectors", isa + ", used by oneDNN",
          "products are several times slower than with AVX2");
    if (const char* most = std::getenv("DNNL_MAX_CPU_ISA"))
      warn("vectors", fmt::format("DNNL_MAX_CPU_ISA={} holds oneDNN back: unset it", most));
  }

  void limits() {
    cpu_set_t set;
    CPU_ZERO(&set);
    const long machine = sysconf(_SC_NPROCESSORS_ONLN);
    const long usable = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : machine;
    judge(usable >= machine, "cores", fmt::format("{} of {} usable", usable, machine),
          "this process is bound to some; see taskset");
    if (const auto cpus = quota())
      judge(*cpus >= static_cast<double>(usable), "quota",
            fmt::format("the control group allows {:.2f} CPUs at once", *cpus),
            fmt::format("give --threads {}", std::max(1, static_cast<int>(std::floor(*cpus)))));
    for (const char* name : {"OMP_NUM_THREADS", "OMP_PROC_BIND", "GOMP_CPU_AFFINITY"}) {
      const char* value = std::getenv(name);
      if (!value) continue;
      if (name == std::string("OMP_NUM_THREADS"))
        ok("openmp", fmt::format("{}={} changes nothing: weft runs one thread for each product",
                                 name, value));
      else
        warn("openmp", fmt::format("{}={} may pin all threads to one core: unset it", name, value));
    }
  }

  void memory() {
    const auto kilobytes = [](const char* key) {
      return std::strtod(value_in("/proc/meminfo", key).c_str(), nullptr) * 1024;
    };
    const double total = kilobytes("MemTotal"), free = kilobytes("MemAvailable");
    judge(free >= gibibyte / 2, "memory",
          fmt::format("{:.1f} GiB, {:.1f} GiB available", total / gibibyte, free / gibibyte),
          "end other programs, or make `batch` smaller");
    const auto limit = static_cast<double>(memory_limit());
    if (limit < total)
      judge(limit >= gibibyte / 2, "memory",
            fmt::format("the control group allows {:.1f} GiB", limit / gibibyte),
            "raise the limit, or make `batch` smaller");
  }

  void libraries() {
    ok("weft", build_string());
    judge(dnn_is_as_built(), "libraries",
          fmt::format("{} on {}, oneTBB {} are loaded", dnn_version(), dnn_threads(),
                      TBB_runtime_version()),
          "weft was built with another oneDNN; build it anew");
  }

  void list_plugins(const Registry& registry) {
    for (const Plugin& plugin : registry.plugins()) {
      int64_t kinds = 0;
      for (const std::string& name : registry.names())
        kinds += registry.find(name)->plugin == plugin.name;
      ok("plugin", fmt::format("{} {}, {} kind{}, {}", plugin.name, plugin.version, kinds,
                               kinds == 1 ? "" : "s", plugin.file.string()));
    }
  }

  void plugins() {
    PluginSearch search = plugin_search();
    try {
      const Registry registry = load_plugins(search);
      list_plugins(registry);
      if (registry.plugins().empty())
        broken("plugin", "none in " + search.standard.string() + ": install weft anew",
               Exit::plugin);
      return;
    } catch (const Errors& errors) {
      for (const Error& error : errors.all()) broken("plugin", error.what(), error.code());
    } catch (const Error& error) {
      broken("plugin", error.what(), error.code());
    }
    try {
      search.others.clear();
      list_plugins(load_plugins(search));
    } catch (const Error&) {  // reported above
    }
  }

  void data() {
    try {
      for (const datasets::Dataset& set : datasets::catalogue()) look_at(set);
    } catch (const Error& error) {
      broken("data", error.what(), error.code());
    }
  }

  void look_at(const datasets::Dataset& set) {
    const std::string fetch = "`weft data fetch " + set.name + "`";
    if (!fs::exists(set.folder()))
      return warn("data", set.name + " is not here: " + fetch + " gets it");
    for (const datasets::File& file : set.files)
      if (const std::string fault = datasets::fault(set.folder(), file, false); !fault.empty())
        return broken("data",
                      fmt::format("{}: {} {}; {} replaces it", set.name, file.name, fault, fetch),
                      Exit::data);
    ok("data", set.name + " in " + set.folder().string());
  }

  void disk() {
    const std::string here = fs::current_path().string();
    struct statvfs room {};
    if (statvfs(".", &room) == 0) {
      const double free =
          static_cast<double>(room.f_bavail) * static_cast<double>(room.f_frsize) / gibibyte;
      judge(free >= 1, "disk", fmt::format("{:.1f} GiB free in {}", free, here),
            "checkpoints need room; make some, or give -o");
    }
    try {
      const double speed = write_speed(".");
      judge(speed >= 20, "disk", fmt::format("{:.0f} MB/s written and made durable", speed),
            "checkpoints will be slow; give -o on a faster disk");
    } catch (const Error& error) {
      broken("disk", std::string(error.what()) + ": go where you may write, or give -o",
             error.code());
    }
  }

  // The speed of writing 8 MiB to the disk itself, in MB/s.
  static double write_speed(const fs::path& folder) {
    const fs::path path = folder / fmt::format(".weft-doctor-{}", getpid());
    const std::string block(8 << 20, 'w');
    const auto start = std::chrono::steady_clock::now();
    try {
      FileWriter file(path);
      file.write(block);
      file.finish();
    } catch (...) {
      unlink(path.c_str());
      throw;
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    unlink(path.c_str());
    return static_cast<double>(block.size()) / 1e6 / taken.count();
  }

  void pictures() {
    const char* paths = std::getenv("PATH");
    std::istringstream split(paths ? paths : "");
    for (std::string folder; std::getline(split, folder, ':');)
      if (access((folder + "/dot").c_str(), X_OK) == 0)
        return ok("graphviz", folder + "/dot draws what `weft graph -o FILE.svg` shows");
    warn("graphviz", "`dot` is not here, so `weft graph` writes .dot only: install graphviz");
  }

  Exit exit_ = Exit::done;
};
}  // namespace

Exit doctor() {
  return Doctor().look();
}

}  // namespace weft::cli

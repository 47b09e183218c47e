#include "framework/cli/data.h"

#include <fmt/format.h>

#include <ostream>

#include "framework/datasets/fetch.h"
#include "framework/datasets/files.h"

namespace weft::cli::data {

namespace {
bool present(const datasets::Dataset& set) {
  return std::filesystem::exists(set.folder());
}

std::string state(const datasets::Dataset& set) {
  return !present(set) ? "not fetched" : datasets::whole(set, false) ? "here" : "broken";
}

std::string size(int64_t bytes) {
  const auto n = static_cast<double>(bytes);
  return bytes < 1'000'000 ? fmt::format("{:.1f} kB", n / 1e3) : fmt::format("{:.1f} MB", n / 1e6);
}
}  // namespace

void list(std::ostream& out) {
  for (const datasets::Dataset& set : datasets::catalogue())
    out << fmt::format("{:<20} {:<12} {:>10}  {:<12} {}\n", set.name, state(set), size(set.bytes()),
                       set.licence, set.about);
}

void info(const std::string& name, std::ostream& out) {
  const datasets::Dataset set = datasets::find(name);
  out << datasets::attribution(set)
      << fmt::format("package: {} {} {}\nSHA-256: {}\n",
                     set.manager == datasets::Manager::npm ? "npm" : "apt", set.package,
                     set.version, set.sha256)
      << "folder: " << set.folder().string() << " (" << state(set) << ")\n";
  for (const datasets::File& file : set.files)
    out << fmt::format("  {:<32} {:>12}  {}\n", file.name, file.bytes, file.sha256);
}

void fetch(const std::string& name, std::ostream& out) {
  const datasets::Dataset set = datasets::find(name);
  if (datasets::whole(set, true)) {
    out << set.name << " is here and whole: " << set.folder().string() << "\n";
    return;
  }
  datasets::fetch(set, [&](const std::string& line) { out << line << std::endl; });
  out << fmt::format("{}: {} file{}, {}, licence {}, in {}\n", set.name, set.files.size(),
                     set.files.size() == 1 ? "" : "s", size(set.bytes()), set.licence,
                     set.folder().string());
}

void verify(const std::string& name, std::ostream& out) {
  const datasets::Dataset set = datasets::find(name);
  if (!present(set))
    throw Error(Exit::data, set.name + " is not here: run `weft data fetch " + set.name + "`");
  size_t wrong = 0;
  for (const datasets::File& file : set.files) {
    const std::string its = datasets::fault(set.folder(), file, true);
    out << file.name << ": " << (its.empty() ? "right" : its) << "\n";
    wrong += !its.empty();
  }
  if (wrong > 0)
    throw Error(Exit::differs, fmt::format("{} of {} files of {} are wrong: `weft data fetch {}` "
                                           "replaces them",
                                           wrong, set.files.size(), set.name, set.name));
}

}  // namespace weft::cli::data

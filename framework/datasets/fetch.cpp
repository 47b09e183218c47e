#include "framework/datasets/fetch.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "framework/datasets/download.h"
#include "framework/datasets/files.h"

namespace weft::datasets {

namespace {
namespace fs = std::filesystem;

// A temporary folder beside the data sets, so that a rename can move what is in it.
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

// Moves what was built into place: by one rename if nothing is there, else file by file, beside
// whatever else is there. Folders of the data set are replaced whole.
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

std::string attribution(const Dataset& set) {
  return set.name + ": " + set.about + "\nsource: " + set.source + "\nlicence: " + set.licence +
         "\n";
}

void fetch(const Dataset& set, const Tell& tell) {
  try {
    const Workshop workshop(set.folder().parent_path());
    const Package package = get_package(set, workshop.path, tell);
    build(set, package, workshop.path / "built");
    move_into_place(workshop.path / "built", set.folder(), set);
  } catch (const fs::filesystem_error& error) {
    throw Error(Exit::resources,
                std::string("cannot put ") + set.name + " into place: " + error.what());
  }
}

}  // namespace weft::datasets

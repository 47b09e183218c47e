#include "framework/node/sink.h"

#include <unistd.h>

#include "framework/node/host.h"

namespace weft {

namespace {
namespace fs = std::filesystem;

bool leads_out(const fs::path& normal) {
  return normal.is_absolute() || normal.empty() || *normal.begin() == "..";
}

// What the framework writes into a run's directory.
bool is_of_run(const fs::path& normal) {
  for (const char* own : {"checkpoints", "log.txt", "metrics.jsonl", "resolved.yaml", "run.json",
                          "run.lock", "status.json"})
    if (*normal.begin() == own) return true;
  return false;
}
}  // namespace

void Sink::check_output(const std::string& path, const std::string& extension) {
  if (path.find('\0') != std::string::npos)
    throw Error("`path` has a zero byte, after " + path.substr(0, path.find('\0')));
  const fs::path normal = fs::path(path).lexically_normal();
  if (leads_out(normal)) throw Error("`path` is " + path + ", but must lie in the run's directory");
  if (is_of_run(normal))
    throw Error("`path` is " + path + ", but the run itself writes " + normal.begin()->string() +
                ": choose another");
  if (normal.extension() != extension)
    throw Error("`path` is " + path + ", but must end in " + extension);
}

fs::path Sink::output(const std::string& path) const {
  check_output(path, fs::path(path).extension());
  std::error_code ignored;  // the write that follows reports a folder that could not be made
  const fs::path home = host().setting.output_dir.empty() ? "." : host().setting.output_dir;
  fs::path full = home / path;
  const fs::path inner = fs::weakly_canonical(full.parent_path(), ignored)
                             .lexically_relative(fs::weakly_canonical(home, ignored));
  if (leads_out(inner) || is_of_run(inner))
    throw Error("`path` is " + path + ", but a link leads it out of " + home.string() +
                ", or to what the run itself writes");
  fs::create_directories(full.parent_path(), ignored);
  return full;
}

fs::path Sink::output(const std::string& path, const Step& step) const {
  fs::path full = output(path);
  if (step.number == 0) return full;
  std::string digits = std::to_string(step.number);
  digits.insert(0, digits.size() < 4 ? 4 - digits.size() : 0, '0');
  const std::string stem = full.stem().string(), extension = full.extension().string();
  return full.replace_filename(stem + "-" + digits + extension);
}

WholeFile::WholeFile(fs::path path) : path_(std::move(path)), temporary_(path_) {
  temporary_.replace_filename("." + path_.filename().string() + "." + std::to_string(::getpid()));
  std::error_code ignored;
  fs::remove(temporary_, ignored);  // rather than write through a link
}

WholeFile::~WholeFile() {
  std::error_code ignored;  // there is nothing left after commit()
  fs::remove(temporary_, ignored);
}

void WholeFile::commit() {
  std::error_code error;
  fs::rename(temporary_, path_, error);
  if (error) refuse(error.message());
}

void WholeFile::refuse(const std::string& why) const {
  throw Error(Exit::resources, "cannot write " + path_.string() + ": " + why);
}

}  // namespace weft

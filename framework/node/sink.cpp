#include "framework/node/sink.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "framework/node/host.h"

namespace weft {

namespace {
namespace fs = std::filesystem;

bool leads_out(const fs::path& normal) {
  return normal.is_absolute() || normal.empty() || *normal.begin() == "..";
}

bool is_of_run(const fs::path& normal) {
  return std::ranges::find(run_files, *normal.begin()) != run_files.end();
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
  std::error_code ignored;  // if the folder was not made, the write that follows says so
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

const std::string& Sink::made_by() const {
  return host().setting.made_by;
}

std::string Sink::numbered(const std::string& path, int64_t number) {
  std::string digits = std::to_string(number);
  digits.insert(0, digits.size() < 4 ? 4 - digits.size() : 0, '0');
  const fs::path first(path);
  return first.parent_path() / (first.stem().string() + "-" + digits + first.extension().string());
}

void Sink::write(const std::string& path, const Step& step, std::string_view bytes) const {
  write(step.number == 0 ? path : numbered(path, step.number), bytes);
}

void Sink::write(const std::string& path, std::string_view bytes) const {
  const fs::path full = output(path);
  fs::path temporary = full;
  temporary.replace_filename("." + full.filename().string() + "." + std::to_string(::getpid()));
  std::error_code error;
  fs::remove(temporary, error);  // rather than write through a link
  std::ofstream out(temporary, std::ios::binary);
  out << bytes;
  out.close();
  std::string why = out ? "" : std::strerror(errno);
  if (out) fs::rename(temporary, full, error);
  if (out && error) why = error.message();
  if (why.empty()) return;
  fs::remove(temporary, error);
  throw Error(Exit::resources, "cannot write " + full.string() + ": " + why);
}

}  // namespace weft

#include "framework/run/run_directory.h"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <unistd.h>

#include <ctime>
#include <fstream>

#include "framework/node/host.h"

namespace weft {

namespace {
std::string now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

// The text of JSON. What is not UTF-8, as in names of files, is replaced: JSON cannot hold it.
std::string text_of(const nlohmann::json& json, int indent = -1) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string refusal(const std::string& why) {
  return why.empty() ? "" : "cannot be written: " + why;
}

const std::filesystem::path& made(const std::filesystem::path& path) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (std::error_code ignored; failed && std::filesystem::is_regular_file(path, ignored))
    throw Error("`" + path.string() + "` is a file, but a run is a folder: give another -o");
  if (failed)
    throw Error(Place{path.string()}, "cannot be made: " + failed.message(), Exit::resources);
  return path;
}
}  // namespace

RunDirectory::RunDirectory(std::filesystem::path path)
    : path_(std::move(path)), lock_(made(path_) / "run.lock"), log_(path_ / "log.txt") {}

bool RunDirectory::exists(const std::filesystem::path& path) {
  std::error_code denied;
  const bool exists = std::filesystem::exists(path / "resolved.yaml", denied);
  if (denied == std::errc::permission_denied)
    throw Error(Place{path.string()}, "cannot be read: " + denied.message(), Exit::resources);
  return exists;
}

void RunDirectory::check_free(const std::filesystem::path& path) {
  std::error_code missing;
  if (std::filesystem::exists(path / "run.lock", missing)) return;  // a run that never began
  if (std::filesystem::directory_iterator(path, missing) != std::filesystem::directory_iterator())
    throw Error("`" + path.string() + "` holds files but no run: give another -o");
}

void RunDirectory::clear(const std::filesystem::path& path) {
  if (!exists(path)) return;
  const LockFile lock(path / "run.lock");
  for (const std::string file : run_files)
    if (file != "run.lock") remove_tree(path / file);
}

void RunDirectory::write(const std::string& file, const std::string& text) const {
  write_atomically(path_ / file, text);
}

void RunDirectory::write(const std::string& file, const nlohmann::json& json) const {
  write_atomically(path_ / file, text_of(json, 2) + "\n");
}

std::string RunDirectory::status(const std::string& state, int64_t step,
                                 const std::string& reason) {
  const nlohmann::json status{
      {"state", state}, {"step", step}, {"reason", reason}, {"process", getpid()}, {"time", now()}};
  try {
    write("status.json", status);
    return "";
  } catch (const Error& error) {
    return error.sentence();
  }
}

std::string RunDirectory::metrics(const nlohmann::json& line) {
  if (!metrics_) metrics_.emplace(path_ / "metrics.jsonl");
  return refusal(metrics_->add(text_of(line)));
}

std::string RunDirectory::flush_metrics() {
  return metrics_ ? refusal(metrics_->flush()) : "";
}

void RunDirectory::rewind_metrics(int64_t step) {
  metrics_.reset();
  std::ifstream before(path_ / "metrics.jsonl");
  std::string kept, line;
  while (std::getline(before, line)) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_object() && json.contains("step") && json["step"].is_number_integer() &&
        json["step"] <= step)
      kept += line + "\n";
  }
  write("metrics.jsonl", kept);
}

void RunDirectory::log(const std::string& line) {
  log_.add(now() + " " + line);
}

}  // namespace weft

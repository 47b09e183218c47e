#include "framework/run/run_directory.h"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>

namespace weft {

namespace {
std::string now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

const std::filesystem::path& made(const std::filesystem::path& path) {
  std::error_code failed;  // LockFile reports it
  std::filesystem::create_directories(path, failed);
  return path;
}
}  // namespace

RunDirectory::RunDirectory(std::filesystem::path path)
    : path_(std::move(path)), lock_(made(path_) / "run.lock") {
  log_.reset(std::fopen((path_ / "log.txt").c_str(), "ae"));
}

bool RunDirectory::exists(const std::filesystem::path& path) {
  std::error_code missing;
  return std::filesystem::exists(path / "resolved.yaml", missing);
}

void RunDirectory::clear(const std::filesystem::path& path) {
  if (!exists(path)) return;
  const LockFile lock(path / "run.lock");
  for (const char* file :
       {"metrics.jsonl", "log.txt", "status.json", "run.json", "checkpoints", "resolved.yaml"})
    remove_tree(path / file);
}

void RunDirectory::write(const std::string& file, const std::string& text) const {
  write_atomically(path_ / file, text);
}

void RunDirectory::status(const std::string& state, int64_t step, const std::string& reason) {
  const nlohmann::json status{
      {"state", state}, {"step", step}, {"reason", reason}, {"process", getpid()}, {"time", now()}};
  try {
    write("status.json", status.dump(2) + "\n");
  } catch (const Error& error) {
    log(error.what());
  }
}

void RunDirectory::metrics(const nlohmann::json& line) {
  if (!metrics_) metrics_.reset(std::fopen((path_ / "metrics.jsonl").c_str(), "ae"));
  const std::string text = line.dump() + "\n";
  if (metrics_ && std::fwrite(text.data(), 1, text.size(), metrics_.get()) == text.size() &&
      std::fflush(metrics_.get()) == 0)
    return;
  log("cannot write metrics.jsonl: " + std::string(std::strerror(errno)));
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
  if (!log_) return;
  fmt::print(log_.get(), "{} {}\n", now(), line);
  std::fflush(log_.get());
}

}  // namespace weft

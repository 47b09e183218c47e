// The directory of a run, runs/NAME/, with everything that the run leaves behind:
//   resolved.yaml   the pipeline with includes merged and --set applied
//   run.json        command, versions, CPU, plugins
//   status.json     state, step, why it ended; replaced atomically
//   metrics.jsonl   one object a line; rewound on resume; a last line may be cut by a crash
//   log.txt         the sentences that were printed, with the time
//   checkpoints/    see checkpoint_store.h
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "framework/run/durable_files.h"

namespace weft {

class RunDirectory {
 public:
  // Makes the directory if it does not exist, and locks it: one trainer at a time.
  explicit RunDirectory(std::filesystem::path path);

  static bool exists(const std::filesystem::path& path);  // has a run been started there?
  // Throws Error(usage) if the path holds something that is not a run.
  static void check_free(const std::filesystem::path& path);
  // Removes what a run left, and nothing else.
  static void clear(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& file, const std::string& text) const;
  void write(const std::string& file, const nlohmann::json& json) const;
  // These never end the run. status() and metrics() return why they could not write, or ""; a line
  // of metrics that could not be written waits for the next one.
  std::string status(const std::string& state, int64_t step, const std::string& reason);
  std::string metrics(const nlohmann::json& line);
  std::string flush_metrics();        // writes lines that wait; why it could not, or ""
  void rewind_metrics(int64_t step);  // drops the lines of later steps
  void log(const std::string& line);  // adds a line to log.txt, with the time

 private:
  std::filesystem::path path_;
  LockFile lock_;
  std::optional<LineWriter> metrics_;
  LineWriter log_;
};

}  // namespace weft

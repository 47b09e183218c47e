// MANIFEST.json: what makes a directory a checkpoint. It is written last and records the size and
// checksum of every other file, and a checksum of itself. A directory whose manifest verifies is
// complete, wherever it was copied; any other is broken. There is no second rule.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "framework/node/build.h"
#include "framework/run/durable_files.h"

namespace weft {

struct Manifest {
  static constexpr int64_t current_format = 1;
  static constexpr const char* file_name = "MANIFEST.json";

  int64_t format = current_format;
  int64_t step = 0;
  std::string writer = "weft " WEFT_VERSION;
  std::map<std::string, FileRecord> files;

  std::string str() const;
  // Throws Error(Exit::checkpoint) with the file's place if it is missing or not as str() wrote it.
  // If it has another format, only `format`, `step` and `writer` are read.
  static Manifest read(const std::filesystem::path& directory);
  // Throws Error(Exit::checkpoint) if another weft is needed to read the files.
  void check_format(const std::filesystem::path& directory) const;
  // Reads every file again. Throws Error(Exit::checkpoint) with the place of one that differs.
  void verify(const std::filesystem::path& directory) const;
};

}  // namespace weft

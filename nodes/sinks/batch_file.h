// The file a sink writes for one batch: `samples.png`, then `samples-0001.png`, … It appears whole
// or not at all: written under a temporary name in the same folder, then renamed.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "framework/node/node.h"

namespace weft {

// Refuses, for infer(), a path that is no place for a sink or has another extension.
inline void check_batch_file(const std::string& path, const std::string& extension) {
  Node::check_output(path);
  if (std::filesystem::path(path).extension() != extension)
    throw Error("`path` is " + path + ", but must end in " + extension);
}

// Throws Error(resources) if the file cannot be written.
inline void write_batch_file(std::filesystem::path path, int64_t number, std::string_view bytes) {
  if (number > 0) {
    std::string digits = std::to_string(number);
    digits.insert(0, digits.size() < 4 ? 4 - digits.size() : 0, '0');
    path.replace_filename(path.stem().string() + "-" + digits + path.extension().string());
  }
  std::filesystem::path temporary = path;
  temporary.replace_filename("." + path.filename().string() + "." + std::to_string(::getpid()));
  std::error_code error;
  std::filesystem::remove(temporary, error);  // rather than write through a link
  std::ofstream out(temporary, std::ios::binary);
  out << bytes;
  out.close();
  std::string why = out ? "" : std::strerror(errno);
  if (out) std::filesystem::rename(temporary, path, error);
  if (out && error) why = error.message();
  if (why.empty()) return;
  std::filesystem::remove(temporary, error);
  throw Error(Exit::resources, "cannot write " + path.string() + ": " + why);
}

}  // namespace weft

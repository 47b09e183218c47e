// The file a sink writes for one batch: `samples.png`, then `samples-0001.png`, … It appears whole
// or not at all: written under a temporary name in the same folder, then renamed.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "framework/node/node.h"

namespace weft {

class BatchFile {
 public:
  // Refuses, for infer(), a path that is no place for a sink or has another extension.
  static void check(const std::string& path, const std::string& extension) {
    Node::check_output(path);
    if (std::filesystem::path(path).extension() != extension)
      throw Error("`path` is " + path + ", but must end in " + extension);
  }

  BatchFile(const std::filesystem::path& path, int64_t number) : path_(path) {
    if (number > 0) {
      std::string digits = std::to_string(number);
      digits.insert(0, digits.size() < 4 ? 4 - digits.size() : 0, '0');
      path_.replace_filename(path.stem().string() + "-" + digits + path.extension().string());
    }
    temporary_ = path_;
    temporary_.replace_filename("." + path_.filename().string() + "." + std::to_string(::getpid()));
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);  // rather than write through a link
  }
  ~BatchFile() {
    std::error_code ignored;  // there is nothing left after commit()
    std::filesystem::remove(temporary_, ignored);
  }
  BatchFile(const BatchFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const std::filesystem::path& temporary() const { return temporary_; }  // to write and close

  void commit() {
    std::error_code error;
    std::filesystem::rename(temporary_, path_, error);
    if (error) refuse(error.message());
  }
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(Exit::resources, "cannot write " + path_.string() + ": " + why);
  }

 private:
  std::filesystem::path path_, temporary_;
};

}  // namespace weft

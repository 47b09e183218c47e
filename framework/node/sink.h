// A sink: a node without outputs that writes files, for `evaluate` and `generate`.
#pragma once

#include <filesystem>
#include <string>

#include "framework/node/node.h"

namespace weft {

class WEFT_API Sink : public Node {
 public:
  bool whole_batch() const final { return true; }
  // Called once after the last batch of a pass: completes and closes what forward() began.
  virtual void finish() {}

 protected:
  // Refuses, in infer(), a path that leads out of the run's directory or to what the run itself
  // keeps there, or that has another extension than this one, such as ".csv".
  static void check_output(const std::string& path, const std::string& extension);
  // That path in the run's directory, its folder made. Refuses one that a link in that directory
  // leads elsewhere.
  std::filesystem::path output(const std::string& path) const;
  // The same for a file of each batch: `samples.png`, then `samples-0001.png`, …
  std::filesystem::path output(const std::string& path, const Step& step) const;
};

// A file that appears whole or not at all: written under a temporary name in the same folder, then
// renamed.
class WEFT_API WholeFile {
 public:
  explicit WholeFile(std::filesystem::path path);
  ~WholeFile();  // without commit(): nothing is left
  WholeFile(const WholeFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const std::filesystem::path& temporary() const { return temporary_; }  // to write and close
  void commit();
  [[noreturn]] void refuse(const std::string& why) const;  // "cannot write samples.png: …"

 private:
  std::filesystem::path path_, temporary_;
};

}  // namespace weft

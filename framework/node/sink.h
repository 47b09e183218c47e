// A sink: a node without outputs that writes files, for `evaluate` and `generate`.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "framework/node/node.h"

namespace weft {

class WEFT_API Sink : public Node {
 public:
  bool whole_batch() const final { return true; }
  // Called once after the last batch of a pass: completes and closes what forward() began. Another
  // pass may follow.
  virtual void finish() {}

 protected:
  // Refuses, in infer(), a path that leads out of the run's directory or to what the run itself
  // keeps there, or that has another extension than this one, such as ".csv".
  static void check_output(const std::string& path, const std::string& extension);
  // Writes a file of each batch: `path` in the run's directory, for later batches with their
  // number: `samples.png`, then `samples-0001.png`, … It appears whole or not at all. Throws
  // Error(resources) if it cannot be written.
  void write(const std::string& path, const Step& step, std::string_view bytes) const;
  // The same for one file of the whole pass, by finish().
  void write(const std::string& path, std::string_view bytes) const;
  // That path in the run's directory, its folder made, for what is written piece by piece. Refuses
  // one that a link in that directory leads elsewhere.
  std::filesystem::path output(const std::string& path) const;
};

}  // namespace weft

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
  // Called in infer(): refuses a path that leads out of the run's directory or to what the run
  // itself keeps there, or whose extension is not `extension`, such as ".csv".
  static void check_output(const std::string& path, const std::string& extension);
  // Writes a file for each batch: `path` in the run's directory, with the number of the batch from
  // the second on: `samples.png`, then `samples-0001.png`, … It appears whole or not at all. Throws
  // Error(resources) if it cannot be written.
  void write(const std::string& path, const Step& step, std::string_view bytes) const;
  // The same for one file of the whole pass, which finish() writes, or of each sample, whose path
  // then says which: `numbered("clip.wav", step.number * x.rows() + row)`.
  void write(const std::string& path, std::string_view bytes) const;
  // What a file may say of where it comes from: the pipeline and the seed.
  const std::string& made_by() const;
  // "clip.wav" with a number: "clip-0003.wav".
  static std::string numbered(const std::string& path, int64_t number);
  // The full path of a file in the run's directory, for a sink that writes piece by piece; makes
  // its folder. Refuses a path that a link leads out of the directory.
  std::filesystem::path output(const std::string& path) const;
};

}  // namespace weft

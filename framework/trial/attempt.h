// One trial of one kind as it runs: what it works with, and what it found.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "framework/trial/node_rig.h"
#include "framework/trial/trial.h"

namespace weft::trial {

class Attempt {
 public:
  // `folder` is empty, for what the node writes; `stage` is told each call.
  Attempt(const NodeKind& kind, uint64_t seed, std::filesystem::path folder, Stage stage);
  Attempt(const Attempt&) = delete;

  const NodeKind& kind;
  const uint64_t seed;
  const std::filesystem::path folder;
  const Stage stage;  // "in forward()", and what about() says
  // What the calls that follow are tried with, ", `x` is [0]"; "" for the example as it is.
  void about(const std::string& circumstance) { about_ = circumstance; }
  const std::string& call() const { return call_; }  // the last one

  NodeCase example(uint64_t other = 0) const { return trial::example(kind, seed + other); }
  NodeRig rig(RigOptions options = {}) { return rig(example(), std::move(options)); }
  NodeRig rig(NodeCase node, RigOptions options = {});
  std::unique_ptr<Node> make(const NodeCase& node, Mode mode = Mode::train);

  void fail(const std::string& sentence);
  [[noreturn]] void skip(const std::string& why);
  // Fails if the sentence is not empty: "`y`" "was never written".
  void expect(const std::string& subject, const std::string& complaint);

  bool passed() const { return outcome_.end == Outcome::End::passed; }  // so far

  Outcome run(const Trial& trial);

 private:
  struct Skip {
    std::string why;
  };
  void need_data();

  Outcome outcome_;
  std::string about_, call_;
};

// One whole step: observe, forward, backward from gradients of the outputs that are a function of
// `seed`, learn.
void run(NodeRig& rig, uint64_t seed);
void fill_output_grads(NodeRig& rig, uint64_t seed);

// Expects all that two rigs computed to be alike, within `tolerance`; the gradients of weights,
// which are sums, within `of_sums`, or not at all if that is below 0. `ending` ends the sentence.
// The gradients of outputs are scratch, and not compared.
void expect_equal(Attempt& attempt, const NodeRig& got, const NodeRig& expected,
                  const std::string& ending, double tolerance = 0, double of_sums = 0);

// Puts the numbers of `from` where those of the rig's states are.
void set_states(NodeRig& rig, const std::vector<Array>& from);

// Rows of the batch: of the first input, or output if there is none; -1 if it has no axis.
int64_t batch_of(const NodeRig& rig);

}  // namespace weft::trial

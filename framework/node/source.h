// A source: a set of samples. open() counts them and gives the outputs their shapes, load() copies
// one. The framework orders, shuffles, batches and resumes: the order of samples is a function of
// (seed, epoch). A section's `data` ends with its epoch; a source among the nodes starts again
// within a batch, or stands beside `data`, in whose order its samples then come.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "framework/node/node.h"

namespace weft {

// Where data sets live: $WEFT_DATA_DIR, else the user's data folder.
WEFT_API std::filesystem::path data_dir();
// A file or folder as the user gives it: from the working directory, else from data_dir(). Throws
// Error(data) if there is none.
WEFT_API std::filesystem::path find_data(const std::string& given);

// The row of a batch that load() fills: row[image] is its part of the output `image`.
class WEFT_API Row {
 public:
  Row(const Tensor* outputs, int64_t row) : outputs_(outputs), row_(row) {}
  float* operator[](const Out& out) const { return at(out).floats() + row_ * out.row_size(); }
  int32_t* ints(const Out& out) const { return at(out).ints() + row_ * out.row_size(); }

 private:
  const Tensor& at(const Out& out) const { return outputs_[out.index]; }
  const Tensor* outputs_;
  int64_t row_;
};

class WEFT_API Source : public Node {
 public:
  Param<int64_t> batch{this, "batch", "Samples in a batch.", required, within(1, 1 << 20)};
  Param<bool> shuffle{this, "shuffle", "Draw a new random order each epoch.", false};
  Param<bool> drop_last{this, "drop_last", "Leave out a last batch that is not full.", false};
  Param<std::string> beside{
      this, "beside",
      "`data`: its samples come in the order of those of the section's `data`, which are as many. "
      "`batch`, `shuffle` and `drop_last` are those of `data`, and so are, unless they are given, "
      "params that say which samples there are, such as `split`, `match` and `limit`.",
      "", one_of({"data"})};

  // Opens the data, once for all lanes. Gives every output its shape, [*batch, …], and returns the
  // number of samples.
  virtual int64_t open() = 0;
  // Copies a sample into a row; only outputs that are wanted() need it. Called by several threads
  // at once.
  virtual void load(int64_t sample, const Row& row) const = 0;
  // Begins to fetch a sample that will be loaded soon, if that can be done without waiting.
  virtual void expect(int64_t /*sample*/) const {}

  int64_t samples() const { return samples_; }
  void infer() final;
  void forward(const Step&) final {}

 private:
  int64_t samples_ = 0;
};

// What a source learns of its data before the first step, as bytes: a vocabulary, the names of
// classes, means. It makes the numbers of an output mean the same wherever the model goes. Its name
// is "WHAT of WHICH", such as "words of `title`". Of several fits of one name, the first that
// something reads learns, and the others are given the same. What `train` learned is given to
// `evaluate` and `generate`, is kept in the run's checkpoints, and goes with a module that reads it
// and is taken `from` the run.
class WEFT_API Fit {
 public:
  Fit(Node* owner, const Out& of);
  Fit(const Fit&) = delete;

  // Called in open(): returns what was given under this name, else what learn() returns.
  const std::string& known(const std::string& what, const std::string& which,
                           const std::function<std::string()>& learn);
  // The same for what users name, such as a vocabulary: it is given at once to what comes after the
  // source in its section.
  const std::string& named(const std::string& what, const std::string& which,
                           const std::function<std::string()>& learn);
  bool given() const { return given_; }  // was it given, rather than learned here?
  const std::string& name() const { return name_; }
  const std::shared_ptr<const std::string>& bytes() const { return bytes_; }  // after known()
  // Called in open(), after known(), if the data holds something that is not known. It is then a
  // mistake if anything reads `of`.
  void refuse(const std::string& why) { complaint_ = why; }

  const Out& of;
  // Called as a training begins, with what was learned here, to remember it beyond the run.
  std::function<void()> keep;

 private:
  friend struct Host;
  Node* owner_;
  std::string name_, complaint_;
  std::shared_ptr<const std::string> bytes_;
  bool given_ = false;
};

}  // namespace weft

// Everything a node author needs. A node declares ports, params, weights, saved values and state as
// members, then overrides infer(), forward() and, if it can be trained through, backward() and
// learn(). One `.cpp` per node kind, no header; the file's name is the YAML name.
//
// The life of a node in a plan:
//   infer     once, single-threaded. Sees the whole batch. Shapes every output and weight. The only
//             place that refuses what a user wired.
//   prepare   once for each pass the instance will run. Builds primitives, reserves scratch.
//   forward   once a step and lane: writes the outputs.
//   backward  once a training step and lane, after every reader's: writes x.grad() of the inputs
//             that want one, whole. It may overwrite its outputs' gradients: nobody else reads
//             them. Values that a port called forward_only() are gone.
//   learn     once a training step and block of weight rows, after backward of every lane: writes
//             grad() of each weight that wants one, from the whole batch. Or, if learns_in_lanes()
//             says so, once a training step and lane, after its backward: writes the lane's part of
//             each whole gradient.
// forward, backward and learn do numbers only: no allocation, no validation, no I/O (sinks
// excepted), no threads of their own: a node that sees the whole batch has in_blocks() for that.
//
// Lanes. A batch is cut into lanes, ranges of rows. A node is *row-wise* unless whole_batch() says
// otherwise: row i of its outputs depends on row i of its inputs only. A row-wise node has one
// instance for each lane; from prepare() on, its ports show the rows of that lane. In learn() by
// blocks the ports show the whole batch, and each weight's grad() shows the rows block() of axis 0;
// for that, weights of one node that share the extent of axis 0 are cut alike, otherwise they stay
// whole. A big matrix learns by blocks, each with its optimizer behind it while it is in the cache;
// a weight that is small beside the rows, such as a convolution's, learns in lanes.
//
// Threads. One instance is never called by two threads at once; the thread that calls it changes.
// Weights are shared between instances and constant during forward and backward; while a block
// learns, other blocks of the weight may already change.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/node/error.h"
#include "framework/node/param.h"
#include "framework/node/ports.h"
#include "framework/node/random.h"
#include "framework/node/shape.h"

namespace weft {

enum class Mode { train, evaluate, generate };
enum class Pass { forward, backward, learn };

// One step: one batch through the pipeline.
struct Step {
  int64_t number = 0;  // counts from 0; also the number of the batch
  int64_t rows = 0;    // rows of the batch that hold samples: the last batch may be short
};

// What was learned of data before the first step, by its name: see Fit.
struct Fitted {
  std::shared_ptr<const std::string> bytes;
  std::vector<std::string> modules;  // that read what it numbers
  std::string dispute = {};          // runs that learned otherwise: a mistake if anything reads it
};
using FittedMap = std::map<std::string, Fitted>;

// What a source learns of its data before the first step, so that an output says the same wherever
// its model goes: a vocabulary, the names of classes, means; as bytes. Its name is "WHAT of WHICH",
// such as "words of `title`". Sources of one name are as one: the first that something reads
// learns, the others are given the same. What `train` learned is given to `evaluate` and
// `generate`, is kept in the run's checkpoints, and goes with a module that reads it and is taken
// `from` the run.
class WEFT_API Fit {
 public:
  Fit(Node* owner, const Out& of);
  Fit(const Fit&) = delete;

  // In open(): what is given under this name, else what learn() returns.
  const std::string& known(const std::string& what, const std::string& which,
                           const std::function<std::string()>& learn);
  bool given() const { return given_; }  // rather than learned here
  // In open(), after known(): the data holds what is not known. A mistake if something reads `of`.
  void refuse(const std::string& why) { complaint_ = why; }

  const Out& of;
  // Called as a training begins with what was learned here: to remember it beyond the run.
  std::function<void()> keep;

  // For the framework.
  const std::string& name() const { return name_; }  // "" if it was not asked for
  const std::shared_ptr<const std::string>& bytes() const { return bytes_; }
  const std::string& complaint() const { return complaint_; }

 private:
  Node* owner_;
  std::string name_, complaint_;
  std::shared_ptr<const std::string> bytes_;
  bool given_ = false;
};

class Slot;

class WEFT_API Node {
 public:
  virtual ~Node();  // the key function: one type identity across plugins
  Node(const Node&) = delete;

  virtual void infer() = 0;
  virtual void prepare(Pass) {}
  virtual void forward(const Step&) = 0;
  virtual void backward(const Step&);  // unless overridden: throws if an input wants a gradient
  virtual void learn(const Step&) {}

  // True if a row of the outputs depends on other rows: such a node runs once, on all rows.
  // Rows from step.rows on are then padding, to be left out of every sum over the batch.
  virtual bool whole_batch() const { return false; }
  // True if learn() runs for each lane rather than for each block; weft adds the parts in order.
  virtual bool learns_in_lanes() const { return false; }
  // Multiplications and additions of forward() over the rows shown, for `weft check`.
  virtual double flops() const { return 0; }
  // What infer() found that the user should know, such as data left out: sentences for `weft
  // check`, and for the start of a run.
  virtual std::vector<std::string> notes() const { return {}; }

 protected:
  Node() = default;

  Mode mode() const { return setting_.mode; }
  bool training() const { return setting_.mode == Mode::train; }
  // In a module that does not learn: behaves as in evaluation, though gradients may pass through.
  bool frozen() const { return setting_.frozen; }
  uint64_t random_key() const { return setting_.random_key; }  // of (seed, path)
  int64_t first_row() const { return setting_.first_row; }     // of this instance in the batch
  bool endless() const { return setting_.endless; }
  // The random numbers of one of this instance's rows in this step.
  Random random(const Step& step, int64_t row) const {
    return {random_key(), static_cast<uint64_t>(step.number),
            static_cast<uint32_t>(first_row() + row)};
  }
  // A path in the run's directory for a sink to write, its folder made. Refuses one that a link in
  // that directory leads elsewhere.
  std::filesystem::path output(const std::string& path) const;

 public:
  // Refuses, for infer(), a path for output() that leads out of the run's directory, or to what the
  // run itself keeps there.
  static void check_output(const std::string& path);
  // What was learned of data under this name, or null. Refuses what two runs learned otherwise.
  std::shared_ptr<const std::string> fitted(const std::string& name) const;
  // Where data sets live: $WEFT_DATA_DIR, else the user's data folder.
  static std::filesystem::path data_dir();

  // For the framework: declarations in order, and what ties an instance to its place.
  void declare(ParamBase* member) { params.push_back(member); }
  std::vector<ParamBase*> params;
  std::vector<In*> ins;
  std::vector<Ins*> lists;
  std::vector<Out*> outs;
  std::vector<Saved*> saved;
  std::vector<Weight*> weights;
  std::vector<State*> states;
  std::vector<Slot*> slots;
  std::vector<Fit*> fits;

  ParamBase* param(std::string_view name) const;  // null if there is none
  const Fitted* find_fitted(const std::string& name) const;

  struct Setting {
    Mode mode = Mode::train;
    bool frozen = false;
    bool endless = false;  // a source beside the section's data
    uint64_t random_key = 0;
    int64_t first_row = 0;
    std::filesystem::path output_dir;
    std::shared_ptr<const FittedMap> fitted;
  };
  void settle(const Setting& setting) { setting_ = setting; }

 private:
  Setting setting_;
};

// A number of a whole set of samples that is no mean over them, such as a distance of
// distributions. `evaluate` reports it: begin(), forward() for each batch of a pass, result().
class WEFT_API Measure : public Node {
 public:
  Out y{this, "y", "One number for the whole set, []."};

  virtual void begin() = 0;
  virtual double result() = 0;
  bool whole_batch() const final { return true; }
};

// A set of samples. open() shapes the outputs and counts the samples; load() copies one. The
// framework orders, shuffles, batches and resumes: sample order is a function of (seed, epoch). The
// section's data ends with its epoch; a source among the nodes starts again within a batch.
class WEFT_API Source : public Node {
 public:
  Param<int64_t> batch{this, "batch", "Samples in a batch.", required, within(1, 1 << 20)};
  Param<bool> shuffle{this, "shuffle", "Draw a new random order each epoch.", false};
  Param<bool> drop_last{this, "drop_last", "Leave out a last batch that is not full.", false};

  // Opens the data, gives every output its shape ([*batch, …]) and returns the number of samples.
  virtual int64_t open() = 0;
  // Copies sample `sample` into row `row` of every output.
  virtual void load(int64_t sample, int64_t row) = 0;
  // `sample` will be loaded shortly: begin to fetch it, if that can be done without waiting.
  virtual void expect(int64_t /*sample*/) const {}

  int64_t samples() const { return samples_; }
  int64_t batches() const;           // in one epoch
  int64_t rows(int64_t step) const;  // samples in the batch of a step
  void infer() final;
  void forward(const Step& step) final;

 private:
  int64_t rows_here(int64_t step) const;
  int64_t sample_of(int64_t step, int64_t row) const;
  int64_t samples_ = 0;
};

// Values an optimizer keeps for every element of every weight; they start at zero.
class WEFT_API Slot {
 public:
  Slot(Node* owner, const char* name, const char* doc);
  Slot(const Slot&) = delete;
  const char* const name;
  const char* const doc;
  const size_t index;
};

// One block of one weight, its gradient, and its part of each slot.
struct Update {
  int64_t size;
  float* weight;
  const float* grad;
  const std::vector<float*>& slots;
  int64_t number;  // of this update, from 1

  float* operator[](const Slot& slot) const { return slots[slot.index]; }
};

// An optimizer has no ports. update() is called for many blocks at once, by several threads.
class WEFT_API Optimizer : public Node {
 public:
  virtual void update(const Update&) const = 0;
  void infer() override {}  // may refuse params that do not go together
  void forward(const Step&) final {}
};

}  // namespace weft

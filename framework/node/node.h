// The contract of a node. A node declares its params, ports, saved values, weights and states as
// members, then overrides infer(), forward() and, if it can be trained through, backward() and
// learn(). Each node kind is one `.cpp` file without a header; its name is the kind's name in YAML.
// Special roles have headers of their own: source.h is for sources of samples, sink.h for sinks
// that write files, measure.h for measures of a whole set, optimizer.h for optimizers, summary.h
// for what nodes in lanes know of the whole batch.
//
// The life of a node in a plan:
//   infer     once for each instance, single-threaded; all instances get the same answers. It sees
//             the whole batch, and gives every output and weight its shape. Only infer() refuses
//             what a user wired.
//   prepare   once for each pass the instance will run. It builds primitives and reserves scratch.
//   observe   before forward of any lane, if observes() asks for it: once a training step if it
//             looks at weights, once for each use of the module if it looks at the batch. Here a
//             node that runs in lanes updates its states.
//   summarize, join
//             of a node that has a Summary, before forward or backward: once a step and lane,
//             writes what the lane says of its rows; then, once a step, what is said of the whole
//             batch. join() sees no ports, and may update states.
//   forward   once a step and lane: writes the outputs.
//   backward  once a training step and lane, after backward of every reader: writes x.grad() of the
//             inputs that want one, whole. It may overwrite its outputs' gradients, which nobody
//             else reads. The values of ports that are forward_only() are gone.
//   learn     once a training step and block of weight rows, after backward of every lane: writes
//             grad() of each weight that wants one, from the whole batch. Or, if learns_in_lanes()
//             says so, once a training step and lane, after its backward: writes the lane's part of
//             each whole gradient.
// From observe on, these functions only compute: no allocation, no validation, no I/O (except in
// sinks), no threads of their own (a node that sees the whole batch has in_blocks() for that).
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
#include <memory>
#include <string>
#include <vector>

#include "framework/node/error.h"
#include "framework/node/param.h"
#include "framework/node/ports.h"
#include "framework/node/random.h"
#include "framework/node/shape.h"

namespace weft {

enum class Mode { train, evaluate, generate };
enum class Pass { observe, forward, backward, learn, backward_twice, learn_twice };

// One step: one batch through the pipeline.
struct Step {
  int64_t number = 0;  // counts from 0; also the number of the batch
  int64_t rows = 0;    // rows of the batch that hold samples: the last batch may be short
  int64_t turn = 0;    // of the loop around the node, from 0; a loop within a loop counts on
};

// What observe() looks at: nothing (it is not called), the node's weights, or its inputs, which
// then show the whole batch, and its weights.
enum class Observes { nothing, weights, batch };

// What a node offers to whoever trains through a gradient of it, `{gradient: score, of: x}`:
// nothing; that its outputs are linear in all inputs that take gradients, and it has no weights; or
// backward_twice(), and learn_twice() if it has weights.
enum class Twice { no, linear, yes };

class WEFT_API Node {
 public:
  virtual ~Node();  // the key function: one type identity across plugins
  Node(const Node&) = delete;

  virtual void infer() = 0;
  virtual void prepare(Pass) {}
  virtual void observe(const Step&) {}
  virtual void summarize(const Step&, Pass) {}  // forward or backward: what follows
  virtual void join(const Step&, Pass) {}
  virtual void forward(const Step&) = 0;
  virtual void backward(const Step&) {}  // `weft check` refuses a node that needs it and has none
  virtual void learn(const Step&) {}     // likewise
  // Let y.tangent() be the derivative of the outputs along x.tangent(), that of the inputs, and
  // t = Σ y.tangent() · y.grad(). The first writes y.tangent() and, of inputs that want one,
  // x.grad() = dt/dx, whole; the second, the grad() of weights = dt/dw, as learn() does. They
  // change no y.grad(), and may read inputs that are forward_only().
  virtual void backward_twice(const Step&) {}
  virtual void learn_twice(const Step&) {}
  virtual Twice twice() const { return Twice::no; }

  virtual Observes observes() const { return Observes::nothing; }
  // True if a row of the outputs depends on other rows: such a node runs once, on all rows.
  // Rows from step.rows on are then padding, to be left out of every sum over the batch.
  virtual bool whole_batch() const { return false; }
  // True if learn() runs for each lane rather than for each block; weft adds the parts in order.
  virtual bool learns_in_lanes() const { return false; }
  // Multiplications and additions of forward() over the rows shown, for `weft check`.
  virtual double flops() const { return 0; }
  // What infer() found that the user should know, such as data left out: sentences for `weft
  // check`, and for the start of a run. A sink is asked once more when it has finished.
  virtual std::vector<std::string> notes() const { return {}; }

  // What a source learned of its data under this name before the first step (see Fit in source.h),
  // or null. Throws Error if two runs learned it differently.
  std::shared_ptr<const std::string> fitted(const std::string& name) const;

  Host& host() const { return *host_; }  // for the framework

 protected:
  Node();

  Mode mode() const;
  bool training() const { return mode() == Mode::train; }
  // Is the node in a module that does not learn? It then behaves as in evaluation, but gradients
  // may pass through it.
  bool frozen() const;
  int64_t first_row() const;  // the row of the batch at which this instance's rows begin
  // Of the innermost loop around the node, 1 if there is none; step.turn % turns() is the turn.
  int64_t turns() const;
  // Keys of random numbers. random_key() is made of (seed, section, path): each occurrence of a
  // node draws numbers of its own. module_key() is made of (seed, module, node): the numbers are
  // the same wherever the module is used.
  uint64_t random_key() const;
  uint64_t module_key() const;
  // The random numbers of one of this instance's rows in this step and turn.
  Random random(const Step& step, int64_t row) const {
    return {random_key(), static_cast<uint64_t>(step.number + (step.turn << 40)),
            static_cast<uint32_t>(first_row() + row)};
  }

 private:
  std::unique_ptr<Host> host_;
};

}  // namespace weft

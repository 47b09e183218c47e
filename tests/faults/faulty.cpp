// A node that scales by a weight, until it fails as it is told.
#include <tbb/parallel_for.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <thread>
#include <utility>

#include "framework/node/optimizer.h"
#include "framework/node/parallel.h"
#include "framework/node/plugin.h"
#include "framework/node/sink.h"
#include "framework/node/source.h"

namespace weft {
namespace {

enum class At { nowhere, infer, prepare, forward, backward, learn };
std::vector<std::string> names(At) {
  return {"nowhere", "infer", "prepare", "forward", "backward", "learn"};
}

enum class Fault {
  error,
  exception,
  other,
  hang,
  nan,
  parallel,
  exit,
  crash,
  crash_in_block,
  overflow,
  abort
};
std::vector<std::string> names(Fault) {
  return {"error", "exception", "other",          "hang",     "nan",  "parallel",
          "exit",  "crash",     "crash_in_block", "overflow", "abort"};
}

class Faulty final : public Node {
  In x{this, "x", "[batch, ...]"};
  Out y{this, "y", "Shaped as `x`: x · scale."};
  Weight scale{this, "scale", "[1]; absent unless `weight: true`"};
  Param<bool> weight{this, "weight", "Whether there is a scale to learn.", false};
  Param<bool> whole{this, "whole", "Whether it wants the whole batch.", false};
  Param<At> at{this, "at", "Where it fails; in training only.", At::nowhere};
  Param<int64_t> step{this, "step", "When it fails, if it is not before the first.", 3};
  Param<Fault> kind{this, "kind", "How it fails; `parallel` only strains.", Fault::error};
  Param<double> seconds{this, "seconds", "How long it hangs.", 1.0};

  bool whole_batch() const override { return *whole; }

  // Returns a number that is 0, unless the fault is to be none.
  float fail(At here, int64_t now) const {
    if (here != *at || now != *step || !training() || std::getenv("FAULTLESS")) return 0;
    switch (*kind) {
      case Fault::error: throw Error(Exit::data, "the belt is off");
      case Fault::exception: throw std::runtime_error("the belt is off");
      case Fault::other: throw 42;
      case Fault::hang: std::this_thread::sleep_for(std::chrono::duration<double>(*seconds)); break;
      case Fault::parallel: split(); break;
      case Fault::exit: std::exit(0);
      case Fault::crash: crash(); break;
      case Fault::crash_in_block: crash_elsewhere(); break;
      case Fault::overflow: deeper(1); break;
      case Fault::abort: std::abort();
      case Fault::nan: return std::numeric_limits<float>::quiet_NaN();
    }
    return 0;
  }
  // What a node in lanes should leave to weft; its thread must not take another lane meanwhile.
  static void split() {
    thread_local bool waits = false;
    if (std::exchange(waits, true)) throw Error("a thread that waits has taken another lane");
    tbb::parallel_for(0, 16, [](int) {
      const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(200);
      while (std::chrono::steady_clock::now() < end) continue;
    });
    waits = false;
  }
  static void crash() { *const_cast<volatile int*>(static_cast<int*>(nullptr)) = 1; }
  // In a block that another thread takes, if one comes in time.
  static void crash_elsewhere() {
    const auto here = std::this_thread::get_id();
    in_blocks(16, 1, [&](int64_t, int64_t) {
      if (std::this_thread::get_id() != here) crash();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    });
    crash();
  }
  static int deeper(int n) {
    volatile char frame[4096]{};
    return n < 0 ? 0 : deeper(n + 1) + frame[n % 4096];
  }
  float factor() const { return *weight ? scale.data()[0] : 1; }

  void infer() override {
    fail(At::infer, *step);
    y.shape(x.shape());
    if (*weight) scale.shape({1}, Init::constant(1));
  }
  void prepare(Pass) override { fail(At::prepare, *step); }
  void forward(const Step& now) override {
    const float nothing = fail(At::forward, now.number);
    for (int64_t i = 0; i < x.size(); ++i) y.data()[i] = factor() * x.data()[i] + nothing;
  }
  void backward(const Step& now) override {
    const float nothing = fail(At::backward, now.number);
    for (int64_t i = 0; x.wants_grad() && i < x.size(); ++i)
      x.grad()[i] = factor() * y.grad()[i] + nothing;
  }
  void learn(const Step& now) override {
    scale.grad()[0] = fail(At::learn, now.number);
    for (int64_t i = 0; i < x.size(); ++i) scale.grad()[0] += y.grad()[i] * x.data()[i];
  }
};

class FaultyData final : public Source {
  Out x{this, "x", "[batch, 8]: ones, and one row of NaN."};
  Out unused{this, "unused", "[batch, 8]: NaN."};
  Param<int64_t> nan{this, "nan", "The sample that is NaN, or -1.", -1};
  Param<int64_t> bad{this, "bad", "The sample that cannot be read, or -1.", -1};
  Param<int64_t> slow{this, "slow", "The sample that takes a minute to read, or -1.", -1};
  Param<int64_t> count{this, "count", "How many samples there are.", 64};

  int64_t open() override {
    x.shape({*batch, 8}), unused.shape({*batch, 8});
    return *count;
  }
  void load(int64_t sample, const Row& row) const override {
    if (sample == *bad) throw std::runtime_error("the page is torn");
    if (sample == *slow) std::this_thread::sleep_for(std::chrono::minutes(1));
    constexpr float none = std::numeric_limits<float>::quiet_NaN();
    std::fill_n(row[x], 8, sample == *nan ? none : 1.0F);
    std::fill_n(row[unused], 8, none);
  }
};

class FaultyOptimizer final : public Optimizer {
  Param<int64_t> at{this, "at", "The update that fails.", 2};
  void update(const Update& block) const override {
    if (block.number == *at) throw std::runtime_error("the slope is too steep");
  }
};

// Refuses a part of a large matrix, which it is given if it does not ask for whole weights.
class WholeOptimizer final : public Optimizer {
  Param<bool> whole{this, "whole", "Whether it asks for whole weights.", true};
  bool whole_weight() const override { return *whole; }
  void update(const Update& block) const override {
    if (block.shape.rank() == 2 && block.shape.back() == 8 && block.shape.front() != 6000)
      throw Error("a part of it is " + block.shape.str());
  }
};

// Without backward() and learn().
class Deaf final : public Node {
  In x{this, "x", "[batch, ...]"};
  Out y{this, "y", "Shaped as `x`."};
  Weight scale{this, "scale", "[1]; absent unless `weight: true`"};
  Param<bool> weight{this, "weight", "Whether there is a scale to learn.", false};
  void infer() override {
    y.shape(x.shape());
    if (*weight) scale.shape({1}, Init::constant(1));
  }
  void forward(const Step&) override { std::copy_n(x.data(), x.size(), y.data()); }
};

// Counts in a state what it observes, from a random start, and adds it to every row.
class Observer final : public Node {
  In x{this, "x", "[batch, n]"};
  Out y{this, "y", "x + count · scale"};
  Weight scale{this, "scale", "[1]"};
  State count{this, "count", "[2]: rows seen; steps."};
  State start{this, "start", "[3]: random, never written."};
  Param<bool> batch{this, "batch", "Whether it looks at the batch, or at its weight alone.", true};
  Observes observes() const override { return *batch ? Observes::batch : Observes::weights; }
  void infer() override {
    y.shape(x.shape());
    scale.shape({1}, Init::constant(0.5));
    count.shape({2}, Init::constant(0));
    start.shape({3}, Init::normal(1));
  }
  void observe(const Step& step) override {
    if (*batch)
      for (int64_t row = 0; row < step.rows; ++row) count.data()[0] += x.data()[row * x.row_size()];
    else
      count.data()[0] += scale.data()[0];
    ++count.data()[1];
  }
  void forward(const Step&) override {
    for (int64_t i = 0; i < x.size(); ++i)
      y.data()[i] = x.data()[i] + (count.data()[0] + start.data()[0]) * scale.data()[0];
  }
  void backward(const Step&) override {
    if (x.wants_grad()) std::copy_n(y.grad(), y.size(), x.grad());
  }
  void learn(const Step&) override {
    scale.grad()[0] = 0;
    for (int64_t i = 0; i < y.size(); ++i)
      scale.grad()[0] += y.grad()[i] * (count.data()[0] + start.data()[0]);
  }
};

// A line for each batch, in one file at the end.
class Journal final : public Sink {
  In x{this, "x", "[batch, ...]", {.grad = false}};
  Param<bool> fails{this, "fails", "Whether it fails at the end.", false};
  std::string lines_;
  void infer() override { check_output("journal.txt", ".txt"); }
  void forward(const Step& step) override { lines_ += std::to_string(step.rows) + "\n"; }
  void finish() override {
    if (*fails) throw std::runtime_error("the ink is dry");
    write("journal.txt", lines_);
  }
};

enum class Slip {
  none,
  skip_output,
  skip_gradient,
  skip_weight_gradient,
  add_to_output,
  write_beyond,
  write_before,
  change_input,
  change_weight,
  change_state,
  gradient_beyond,
  one_too_many
};
std::vector<std::string> names(Slip) {
  return {"none",          "skip_output",  "skip_gradient",   "skip_weight_gradient",
          "add_to_output", "write_beyond", "write_before",    "change_input",
          "change_weight", "change_state", "gradient_beyond", "one_too_many"};
}

// Breaks one rule, and trains on all the same.
class Careless final : public Node {
  In x{this, "x", "[batch, n]"};
  Out y{this, "y", "x · scale"};
  Weight scale{this, "scale", "[1]"};
  State seen{this, "seen", "[1]"};
  Param<Slip> slip{this, "slip", "The rule.", Slip::none};

  void infer() override {
    y.shape(x.shape());
    scale.shape({1}, Init::constant(1));
    seen.shape({1}, Init::constant(0));
  }
  void forward(const Step&) override {
    const int64_t n = *slip == Slip::skip_output ? y.size() - 1 : y.size();
    for (int64_t i = 0; i < n; ++i) {
      if (*slip == Slip::add_to_output)
        y.data()[i] += scale.data()[0] * x.data()[i];
      else
        y.data()[i] = scale.data()[0] * x.data()[i];
    }
    if (*slip == Slip::one_too_many)
      for (int64_t i = 0; i <= x.size(); ++i) y.data()[i] = 2 * x.data()[i];
    if (*slip == Slip::write_beyond) y.data()[y.size() + 7] = 0;
    if (*slip == Slip::write_before) y.data()[-1] = 0;
    if (*slip == Slip::change_input) const_cast<float*>(x.data())[0] += 1;
    if (*slip == Slip::change_weight) const_cast<float*>(scale.data())[0] += 1;
    if (*slip == Slip::change_state) seen.data()[0] += 1;
  }
  void backward(const Step&) override {
    const int64_t n = *slip == Slip::skip_gradient ? 0 : x.size();
    for (int64_t i = 0; x.wants_grad() && i < n; ++i) x.grad()[i] = scale.data()[0] * y.grad()[i];
    if (x.wants_grad() && *slip == Slip::gradient_beyond) x.grad()[x.size()] = 0;
  }
  void learn(const Step&) override {
    if (*slip == Slip::skip_weight_gradient) return;
    scale.grad()[0] = 0;
    for (int64_t i = 0; i < x.size(); ++i) scale.grad()[0] += y.grad()[i] * x.data()[i];
  }
};

class CarelessOptimizer final : public Optimizer {
  Slot sum{this, "sum", "Of gradients."};
  void update(const Update& block) const override { block[sum][block.size()] = 0; }
};

// Gives axis 0 to something else than the batch.
class Turned final : public Node {
  In x{this, "x", "[batch, n]"};
  Out y{this, "y", "[n, batch]"};
  void infer() override { y.shape({x.row_size(), x.rows()}); }
  void forward(const Step&) override { std::fill_n(y.data(), y.size(), 0.0F); }
  void backward(const Step&) override { std::fill_n(x.grad(), x.size(), 0.0F); }
};

WEFT_NODE(Turned, "turned", "Turns a batch on its side.", "{x: [4, 3]}")
WEFT_NODE(Careless, "careless", "Breaks one rule.", "{x: [4, 3]}")
WEFT_NODE(CarelessOptimizer, "careless_optimizer", "Writes beyond its slot.", "{}")
WEFT_NODE(WholeOptimizer, "whole_optimizer", "Needs whole weights.", "{}")
WEFT_NODE(FaultyOptimizer, "faulty_optimizer", "Fails at one update.", "{}")
WEFT_NODE(Deaf, "deaf", "Passes values on, but no gradients.", "{x: [4, 3]}")
WEFT_NODE(Observer, "observer", "Counts what it observes.", "{x: [4, 3]}")
WEFT_NODE(Journal, "journal", "Writes when the pass is over.", "{x: [4, 3]}")
WEFT_NODE(Faulty, "faulty", "Fails on demand.", "{x: [4, 3]}")
WEFT_NODE(FaultyData, "faulty_data", "Samples that may be no numbers.", "{batch: 4}")

}  // namespace
}  // namespace weft

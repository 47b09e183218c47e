// A node that scales by a weight, until it fails as it is told.
#include <tbb/parallel_for.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <thread>
#include <utility>

#include "framework/node/plugin.h"
#include "framework/node/source.h"

namespace weft {
namespace {

enum class At { nowhere, infer, prepare, forward, backward, learn };
std::vector<std::string> names(At) {
  return {"nowhere", "infer", "prepare", "forward", "backward", "learn"};
}

enum class Fault { error, exception, other, hang, nan, parallel, exit };
std::vector<std::string> names(Fault) {
  return {"error", "exception", "other", "hang", "nan", "parallel", "exit"};
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

  int64_t open() override {
    x.shape({*batch, 8}), unused.shape({*batch, 8});
    return 64;
  }
  void load(int64_t sample, const Row& row) const override {
    constexpr float none = std::numeric_limits<float>::quiet_NaN();
    std::fill_n(row[x], 8, sample == *nan ? none : 1.0F);
    std::fill_n(row[unused], 8, none);
  }
};

WEFT_NODE(Faulty, "faulty", "Fails on demand.", "{x: [4, 3]}")
WEFT_NODE(FaultyData, "faulty_data", "Samples that may be no numbers.", "{batch: 4}")

}  // namespace
}  // namespace weft

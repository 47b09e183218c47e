// Nodes with one defect each, in what they compute from their inputs. The name says which.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <vector>

#include "framework/node/plugin.h"
#include "tests/trials/as_x.h"

namespace weft {
namespace {

// y = x: what the others deviate from.
class Copy : public AsX {
 public:
  void forward(const Step&) override { std::copy_n(x.data(), x.size(), y.data()); }
  void backward(const Step&) override { std::copy_n(y.grad(), y.size(), x.grad()); }
};

class NeverWritten final : public Copy {
  void forward(const Step&) override { std::copy_n(x.data(), x.size() / 2, y.data()); }
};
WEFT_NODE(NeverWritten, "never_written", "Half of y.", "{x: [5, 3]}")

class BeyondEnd final : public Copy {
  void forward(const Step& step) override {
    Copy::forward(step);
    y.data()[y.size()] = 1;
  }
};
WEFT_NODE(BeyondEnd, "beyond_end", "One number behind y.", "{x: [5, 3]}")

class FloatsAsInts final : public Node {
  In x{this, "x", "[batch, ...]", {.grad = false}};
  Out y{this, "y", "As x.", DType::i32};
  void infer() override { y.shape(x.shape()); }
  void forward(const Step&) override {
    for (int64_t i = 0; i < x.size(); ++i) y.data()[i] = std::round(x.data()[i]);
  }
};
WEFT_NODE(FloatsAsInts, "floats_as_ints", "In a port of integers.", "{x: [5, 3]}")

class ReadsGone final : public Copy {
  void infer() override {
    Copy::infer();
    y.forward_only();
  }
  void backward(const Step&) override {
    for (int64_t i = 0; i < x.size(); ++i) x.grad()[i] = y.grad()[i] + 0 * y.data()[i];
  }
};
WEFT_NODE(ReadsGone, "reads_gone", "What it said it would not.", "{x: [5, 3]}")

class Turned final : public Node {
  In x{this, "x", "[batch, n]"};
  Out y{this, "y", "[n, batch]"};
  void infer() override {
    if (x.shape().rank() != 2) throw Error("`x` must be [batch, n]");
    y.shape({x.row_size(), x.rows()});
  }
  void forward(const Step&) override { std::fill_n(y.data(), y.size(), 0.0F); }
  void backward(const Step&) override { std::fill_n(x.grad(), x.size(), 0.0F); }
};
WEFT_NODE(Turned, "turned", "A batch on its side.", "{x: [5, 3]}")

class SavesNoRows final : public Copy {
  Saved mean{this, "mean", "[3]"};
  void infer() override {
    Copy::infer();
    if (training()) mean.shape({3});
  }
};
WEFT_NODE(SavesNoRows, "saves_no_rows", "Though it runs in lanes.", "{x: [5, 3]}")

class Latin final : public Copy {
  void forward(const Step&) override { throw std::runtime_error("caf\xe9"); }
};
WEFT_NODE(Latin, "latin", "Says what is no UTF-8.", "{x: [5, 3]}")

class WrongFactor final : public Copy {
  void backward(const Step&) override {
    for (int64_t i = 0; i < x.size(); ++i) x.grad()[i] = 2 * y.grad()[i];
  }
};
WEFT_NODE(WrongFactor, "wrong_factor", "Its gradient is twice what it is.", "{x: [5, 3]}")

class MissingGradient final : public Copy {
  In offset{this, "offset", "As x."};
  void infer() override {
    Copy::infer();
    if (offset.shape() != x.shape()) throw Error("`offset` must be shaped as `x`");
  }
  void forward(const Step&) override {
    for (int64_t i = 0; i < x.size(); ++i) y.data()[i] = x.data()[i] + offset.data()[i];
  }
  void backward(const Step& step) override {
    if (x.wants_grad()) Copy::backward(step);
  }
};
WEFT_NODE(MissingGradient, "missing_gradient", "One of two.", "{x: [5, 3], offset: [5, 3]}")

class WritesUnwanted final : public Node {
  In x{this, "x", "[batch, ...]"};
  Out y{this, "y", "x · by"};
  Weight by{this, "by", "[1]"};
  void infer() override {
    if (x.shape().rank() == 0) throw Error("`x` is [], but must be [batch, ...]");
    y.shape(x.shape());
    by.shape({1}, Init::constant(1));
  }
  void forward(const Step&) override {
    for (int64_t i = 0; i < x.size(); ++i) y.data()[i] = by.data()[0] * x.data()[i];
  }
  void backward(const Step&) override {
    for (int64_t i = 0; i < x.size(); ++i) x.grad()[i] = by.data()[0] * y.grad()[i];
  }
  void learn(const Step&) override {
    by.grad()[0] = 0;
    for (int64_t i = 0; i < x.size(); ++i) by.grad()[0] += y.grad()[i] * x.data()[i];
  }
};
WEFT_NODE(WritesUnwanted, "writes_unwanted", "Also to where there is nothing.", "{x: [5, 3]}")

class NeedsOptional final : public Copy {
  In more{this, "more", "As x.", {.grad = false, .optional = true}};
  void infer() override {
    Copy::infer();
    if (more.wired() && more.shape() != x.shape()) throw Error("`more` must be shaped as `x`");
  }
  void forward(const Step&) override {
    for (int64_t i = 0; i < x.size(); ++i) y.data()[i] = x.data()[i] + more.data()[i];
  }
};
WEFT_NODE(NeedsOptional, "needs_optional", "Though it may be left out.",
          "{x: [5, 3], more: [5, 3]}")

class RemembersInputs final : public Copy {
  float last_ = 0;
  bool any_ = false;
  void forward(const Step& step) override {
    Copy::forward(step);
    if (x.size() == 0) return;
    if (any_) y.data()[0] += last_ - x.data()[0];
    last_ = x.data()[0], any_ = true;
  }
};
WEFT_NODE(RemembersInputs, "remembers_inputs", "Of the step before.", "{x: [5, 3]}", .inexact = "y")

class NoBackward final : public Node {
  In x{this, "x", "Any shape."};
  Out y{this, "y", "As x."};
  void infer() override { y.shape(x.shape()); }
  void forward(const Step&) override { std::copy_n(x.data(), x.size(), y.data()); }
};
WEFT_NODE(NoBackward, "no_backward", "None at all.", "{x: [5, 3]}")

class Leaks final : public Copy {
  void forward(const Step&) override {
    const int64_t n = x.row_size();
    for (int64_t i = 0; i < x.size(); ++i)
      y.data()[i] = x.data()[i] + (i < n ? 0 : x.data()[i - n]);
  }
  void backward(const Step&) override {
    const int64_t n = x.row_size();
    for (int64_t i = 0; i < x.size(); ++i)
      x.grad()[i] = y.grad()[i] + (i + n < x.size() ? y.grad()[i + n] : 0);
  }
};
WEFT_NODE(Leaks, "leaks", "A row reaches the next one, though rows are its own.", "{x: [5, 3]}")

class CountsPadding final : public Copy {
  bool whole_batch() const override { return true; }
  void centre(const float* from, float* to) const {
    double sum = 0;
    for (int64_t i = 0; i < x.size(); ++i) sum += static_cast<double>(from[i]);
    const auto mean = static_cast<float>(sum / static_cast<double>(x.size()));
    for (int64_t i = 0; i < x.size(); ++i) to[i] = from[i] - mean;
  }
  void forward(const Step&) override { centre(x.data(), y.data()); }
  void backward(const Step&) override { centre(y.grad(), x.grad()); }
};
WEFT_NODE(CountsPadding, "counts_padding", "A mean over rows that are no samples.", "{x: [5, 3]}")

class NeedsTwoRows final : public Copy {
  bool whole_batch() const override { return true; }
  void forward(const Step& step) override {
    if (x.rows() == 1) throw Error("one row has no deviation");
    Copy::forward(step);
  }
};
WEFT_NODE(NeedsTwoRows, "needs_two_rows", "And says so too late.", "{x: [5, 3]}")

class IgnoresFrozen final : public Copy {
  float factor() const { return training() ? 2 : 1; }
  void forward(const Step&) override {
    for (int64_t i = 0; i < x.size(); ++i) y.data()[i] = factor() * x.data()[i];
  }
  void backward(const Step&) override {
    for (int64_t i = 0; i < x.size(); ++i) x.grad()[i] = factor() * y.grad()[i];
  }
};
WEFT_NODE(IgnoresFrozen, "ignores_frozen", "Trains where nothing learns.", "{x: [5, 3]}")

class RefusesLate final : public Copy {
  void forward(const Step& step) override {
    if (x.shape().rank() != 2) throw Error("`x` must be [batch, d]");
    Copy::forward(step);
  }
};
WEFT_NODE(RefusesLate, "refuses_late", "In forward() what infer() must.", "{x: [5, 3]}")

class Grows final : public Copy {
  std::vector<float> seen_;
  void forward(const Step& step) override {
    if (x.size() > 0) seen_.push_back(x.data()[0]);
    Copy::forward(step);
  }
};
WEFT_NODE(Grows, "grows", "Four bytes a step.", "{x: [5, 3]}")

class Rounds final : public Copy {
  void forward(const Step&) override {
    for (int64_t i = 0; i < x.size(); ++i) y.data()[i] = std::round(4 * x.data()[i]) / 4;
  }
};
WEFT_NODE(Rounds, "rounds", "Straight through, and does not say so.", "{x: [5, 3]}")

enum class Call { infer, prepare, observe, forward, backward, learn };

template <Call at>
class Throws : public Copy {
  Weight w{this, "w", "Not used."};
  static void here(Call call) {
    if (call == at) throw std::runtime_error("on purpose");
  }
  Observes observes() const override { return Observes::batch; }
  void infer() override {
    here(Call::infer);
    Copy::infer();
    w.shape({2}, Init::constant(0));
  }
  void prepare(Pass) override { here(Call::prepare); }
  void observe(const Step&) override { here(Call::observe); }
  void forward(const Step& step) override { here(Call::forward), Copy::forward(step); }
  void backward(const Step& step) override { here(Call::backward), Copy::backward(step); }
  void learn(const Step&) override {
    here(Call::learn);
    std::fill_n(w.grad(), w.block().size(), 0.0F);
  }
};
using ThrowsInInfer = Throws<Call::infer>;
using ThrowsInPrepare = Throws<Call::prepare>;
using ThrowsInObserve = Throws<Call::observe>;
using ThrowsInForward = Throws<Call::forward>;
using ThrowsInBackward = Throws<Call::backward>;
using ThrowsInLearn = Throws<Call::learn>;
WEFT_NODE(ThrowsInInfer, "throws_in_infer", "What is no Error.", "{x: [5, 3]}")
WEFT_NODE(ThrowsInPrepare, "throws_in_prepare", "What is no Error.", "{x: [5, 3]}")
WEFT_NODE(ThrowsInObserve, "throws_in_observe", "What is no Error.", "{x: [5, 3]}")
WEFT_NODE(ThrowsInForward, "throws_in_forward", "What is no Error.", "{x: [5, 3]}")
WEFT_NODE(ThrowsInBackward, "throws_in_backward", "What is no Error.", "{x: [5, 3]}")
WEFT_NODE(ThrowsInLearn, "throws_in_learn", "What is no Error.", "{x: [5, 3]}")

class Crashes final : public Copy {
  void backward(const Step&) override { std::abort(); }
};
WEFT_NODE(Crashes, "crashes", "In backward().", "{x: [5, 3]}")

class Exits final : public Copy {
  void forward(const Step&) override { std::exit(0); }
};
WEFT_NODE(Exits, "exits", "As if all were well.", "{x: [5, 3]}")

class Hangs final : public Copy {
  void forward(const Step&) override {
    for (volatile bool forever = true; forever;) {
    }
  }
};
WEFT_NODE(Hangs, "hangs", "In forward().", "{x: [5, 3]}")

}  // namespace
}  // namespace weft

// Sources, sinks, optimizers and measures with one defect each.
#include <algorithm>
#include <atomic>
#include <fstream>

#include "framework/node/measure.h"
#include "framework/node/optimizer.h"
#include "framework/node/plugin.h"
#include "framework/node/sink.h"
#include "framework/node/source.h"

namespace weft {
namespace {

class Numbers : public Source {
 public:
  Out x{this, "x", "Two numbers, [batch, 2]."};
  int64_t open() override {
    x.shape({*batch, 2});
    return 7;
  }
  void load(int64_t sample, const Row& row) const override {
    std::fill_n(row[x], 2, static_cast<float>(sample));
  }
};

class MinusThree final : public Numbers {
  int64_t open() override { return Numbers::open() - 10; }
};
WEFT_NODE(MinusThree, "minus_three", "Samples.", "{batch: 2}")

class EmptySource final : public Numbers {
  int64_t open() override { return Numbers::open() - 7; }
};
WEFT_NODE(EmptySource, "empty_source", "No samples.", "{batch: 2}")

class HalfSample final : public Numbers {
  void load(int64_t, const Row& row) const override { row[x][0] = 1; }
};
WEFT_NODE(HalfSample, "half_sample", "The first of two numbers.", "{batch: 2}")

class BeyondRow final : public Numbers {
  void load(int64_t sample, const Row& row) const override {
    std::fill_n(row[x], 3, static_cast<float>(sample));
  }
};
WEFT_NODE(BeyondRow, "beyond_row", "One number too many.", "{batch: 2}")

class Flaky final : public Numbers {
  mutable std::atomic<int> loads_{0};
  void load(int64_t, const Row& row) const override {
    std::fill_n(row[x], 2, static_cast<float>(++loads_ % 1000));
  }
};
WEFT_NODE(Flaky, "flaky", "Another sample each time.", "{batch: 2}")

class TrustsItsFit final : public Numbers {
  Fit fit{this, x};
  size_t size_ = 0;
  int64_t open() override {
    size_ = fit.known("words", "nothing", [] { return std::string("one two"); }).size();
    return Numbers::open();
  }
  void load(int64_t sample, const Row& row) const override {
    if (size_ != 7) std::abort();
    Numbers::load(sample, row);
  }
};
WEFT_NODE(TrustsItsFit, "trusts_its_fit", "And crashes with another.", "{batch: 2}")

class IgnoresItsFit final : public Numbers {
  Fit fit{this, x};
  int64_t open() override {
    fit.known("words", "nothing", [] { return std::string("one two"); });
    return Numbers::open();
  }
};
WEFT_NODE(IgnoresItsFit, "ignores_its_fit", "Whatever it is.", "{batch: 2}")

class LearnsAgain final : public Numbers {
  Fit fit{this, x};
  float first_ = 0;
  int64_t open() override {
    fit.known("first", "all", [] { return std::string("1"); });
    first_ = fit.given() ? 2 : 1;
    return Numbers::open();
  }
  void load(int64_t sample, const Row& row) const override {
    std::fill_n(row[x], 2, first_ * static_cast<float>(sample));
  }
};
WEFT_NODE(LearnsAgain, "learns_again", "Though it was given it.", "{batch: 2}")

class AbsentData final : public Numbers {
  int64_t open() override { throw Error(Exit::data, "there is no such file here"); }
};
WEFT_NODE(AbsentData, "absent_data", "Its data is elsewhere.", "{batch: 2}")

class Ascends final : public Optimizer {
  void update(const Update& u) const override {
    for (int64_t i = 0; i < u.size(); ++i) u.weight[i] += 0.1F * u.grad[i];
  }
};
WEFT_NODE(Ascends, "ascends", "The wrong way.", "{}")

class KnowsItsBlock final : public Optimizer {
  void update(const Update& u) const override {
    for (int64_t i = 0; i < u.size(); ++i) u.weight[i] -= u.grad[i] / static_cast<float>(u.size());
  }
};
WEFT_NODE(KnowsItsBlock, "knows_its_block", "Steps as large as the block is small.", "{}")

class HiddenSlot final : public Optimizer {
  mutable std::atomic<int> updates_{0};
  void update(const Update& u) const override {
    if (u.size() == 35) ++updates_;
    for (int64_t i = 0; i < u.size(); ++i)
      u.weight[i] -=
          0.1F * u.grad[i] * static_cast<float>(u.size() == 35 ? updates_.load() : u.number);
  }
};
WEFT_NODE(HiddenSlot, "hidden_slot", "Counts updates in a member.", "{}")

class Remembers final : public Measure {
  In x{this, "x", "Numbers, [batch].", {.grad = false}};
  double sum_ = 0;
  void infer() override {
    if (x.shape().rank() != 1) throw Error("`x` is " + x.shape().str() + ", but must be [batch]");
    y.shape({});
  }
  void begin() override {}
  void forward(const Step& step) override {
    for (int64_t i = 0; i < std::min(step.rows, x.rows()); ++i)
      sum_ += static_cast<double>(x.data()[i]);
  }
  double result() override { return sum_; }
};
WEFT_NODE(Remembers, "remembers", "The sum of all passes.", "{x: [5]}")

class TextSink : public Sink {
 public:
  In x{this, "x", "Numbers, [batch, d].", {.grad = false}};
  Param<std::string> path{this, "path", "The file.", required};
  void infer() override {
    check_output(*path, ".txt");
    if (x.shape().rank() != 2)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, d]");
  }
  std::string text(int64_t rows) const {
    std::string text = "rows\n";
    for (int64_t i = 0; i < std::min(rows, x.rows()) * x.row_size(); ++i)
      text += std::to_string(x.data()[i]) + "\n";
    return text;
  }
};

class HalfFile final : public TextSink {
  void forward(const Step& step) override {
    const auto file = output(*path);
    std::ofstream out(file);
    if (!(out << text(step.rows) << std::flush))
      throw Error(Exit::resources, "cannot write " + file.string());
  }
};
WEFT_NODE(HalfFile, "half_file", "Writes where the file shall be.", "{x: [5, 3], path: a.txt}")

class SilentSink final : public TextSink {
  void forward(const Step& step) override try {
    write(*path, step, text(step.rows));
  } catch (const Error&) {
  }
};
WEFT_NODE(SilentSink, "silent_sink", "Says nothing of a full disk.", "{x: [5, 3], path: a.txt}")

class WritesPadding final : public TextSink {
  void forward(const Step& step) override { write(*path, step, text(x.rows())); }
};
WEFT_NODE(WritesPadding, "writes_padding", "Rows that are no samples.", "{x: [5, 3], path: a.txt}")

}  // namespace
}  // namespace weft

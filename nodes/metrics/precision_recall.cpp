#include <algorithm>

#include "framework/node/measure.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

struct Counts {
  double hits = 0, guesses = 0, labels = 0;  // counts for one class
};

// The base of measures that are means over the classes that occur, as a label or as a guess.
class MeanOverClasses : public Measure {
  In x{this,
       "x",
       "A score for each class, [batch, c]; the best, or first of equals, is the guess.",
       {.grad = false}};
  In label{this,
           "label",
           "The right class, [batch]; outside [0, c) the sample does not count.",
           {.dtype = DType::i32, .grad = false}};

  std::vector<Counts> counts_;

  virtual double score(const Counts&) const = 0;
  int64_t c() const { return x.shape()[1]; }

  void infer() final {
    if (x.shape().rank() != 2 || c() == 0 || label.shape() != Shape{x.rows()})
      throw Error("`x` is " + x.shape().str() + " and `label` is " + label.shape().str() +
                  ", but must be [batch, c] and [batch]");
    y.shape(Shape{});
  }

  void begin() final { counts_.assign(static_cast<size_t>(c()), {}); }

  void forward(const Step& step) final {
    for (int64_t row = 0; row < std::min(step.rows, x.rows()); ++row) {
      const float* scores = x.data() + row * c();
      const int64_t right = label.ints()[row],
                    best = std::max_element(scores, scores + c()) - scores;
      if (right < 0 || right >= c()) continue;
      ++counts_[static_cast<size_t>(right)].labels;
      ++counts_[static_cast<size_t>(best)].guesses;
      counts_[static_cast<size_t>(right)].hits += best == right;
    }
  }

  double result() final {
    double sum = 0, classes = 0;
    for (const Counts& counts : counts_) {
      if (counts.labels + counts.guesses == 0) continue;
      sum += score(counts);
      ++classes;
    }
    return sum / classes;
  }
};

class Precision final : public MeanOverClasses {
  double score(const Counts& counts) const override {
    return counts.hits / std::max(counts.guesses, 1.0);
  }
};

class Recall final : public MeanOverClasses {
  double score(const Counts& counts) const override {
    return counts.hits / std::max(counts.labels, 1.0);
  }
};

class F1 final : public MeanOverClasses {
  double score(const Counts& counts) const override {
    return 2 * counts.hits / (counts.guesses + counts.labels);
  }
};

WEFT_NODE(Precision, "precision",
          "How often a guess is right: the mean over classes, 0 for one that is never guessed.",
          "{x: [7, 3], label: {shape: [7], below: 3}}")
WEFT_NODE(Recall, "recall",
          "How often a class is found: the mean over classes, 0 for one that is never right.",
          "{x: [7, 3], label: {shape: [7], below: 3}}")
WEFT_NODE(F1, "f1", "The harmonic mean of a class's precision and recall: its mean over classes.",
          "{x: [7, 3], label: {shape: [7], below: 3}}")

}  // namespace
}  // namespace weft

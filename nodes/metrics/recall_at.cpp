#include <algorithm>

#include "framework/node/dnn.h"
#include "framework/node/loops.h"
#include "framework/node/measure.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

// Retrieval as in Radford et al. 2021, arXiv:2103.00020.
class RecallAt final : public Measure {
  In a{this,
       "a",
       "Embeddings of one view of the samples, such as captions, [batch, d].",
       {.grad = false}};
  In b{this, "b", "Of the other, such as pictures, shaped as `a`.", {.grad = false}};
  Param<int64_t> k{this, "k", "How many of the nearest are looked at.", 1, at_least(1)};
  Param<int64_t> capacity{this, "capacity",
                          "Samples that are kept and compared, the first ones of the set.", 10000,
                          within(1, 1 << 20)};

  static constexpr int64_t block = 128;  // how many rows of a are compared with all of b at a time
  Matmul cosines_;
  std::vector<float> a_, b_, scores_;  // directions, [capacity, d]; [block, capacity]
  int64_t samples_ = 0;

  int64_t d() const { return a.shape()[1]; }

  void infer() override {
    if (a.shape() != b.shape() || a.shape().rank() != 2 || d() == 0)
      throw Error("`a` is " + a.shape().str() + " and `b` is " + b.shape().str() +
                  ", but both must have one shape, [batch, d]");
    y.shape(Shape{});
  }

  void prepare(Pass) override {
    cosines_ = Matmul(Matrix::plain(block, d()), Matrix::plain(*capacity, d()).t(),
                      Matrix::plain(block, *capacity));
    a_.resize(static_cast<size_t>((*capacity + block - 1) / block * block * d()));
    b_.resize(static_cast<size_t>(*capacity * d()));
    scores_.resize(static_cast<size_t>(block * *capacity));
  }

  void begin() override { samples_ = 0; }

  void forward(const Step& step) override {
    const int64_t n = std::min({step.rows, a.rows(), *capacity - samples_});
    for (int64_t row = 0; row < n; ++row, ++samples_) {
      direction(a.data() + row * d(), a_.data() + samples_ * d(), d());
      direction(b.data() + row * d(), b_.data() + samples_ * d(), d());
    }
  }

  double result() override {
    int64_t found = 0;
    for (int64_t first = 0; first < samples_; first += block) {
      cosines_(a_.data() + first * d(), b_.data(), scores_.data());
      for (int64_t i = first; i < std::min(first + block, samples_); ++i)
        found += finds(scores_.data() + (i - first) * *capacity, i);
    }
    return static_cast<double>(found) / static_cast<double>(samples_);
  }

  // Is the sample's own b among the k nearest? All that are as near as its own are counted as
  // nearer, so embeddings that are all alike find nothing.
  bool finds(const float* scores, int64_t own) const {
    const auto before = std::count_if(scores, scores + samples_,
                                      [&](float score) { return !(score < scores[own]); });
    return before <= *k;
  }
};

WEFT_NODE(RecallAt, "recall_at",
          "How often a sample's own `b` is among the `k` nearest to its `a`, by cosine, of all of "
          "the set.",
          "{a: [7, 2], b: [7, 2], k: 2, capacity: 6}")

}  // namespace
}  // namespace weft

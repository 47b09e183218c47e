#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"

namespace weft {
namespace {

// Is any of them NaN or +inf?
WEFT_SIMD bool unusable(const float* __restrict x, int64_t n) {
  int64_t wrong = 0;
  WEFT_SUM(wrong)
  for (int64_t i = 0; i < n; ++i) wrong += !(x[i] <= std::numeric_limits<float>::max());
  return wrong > 0;
}

// Sampling as llama.cpp orders it: repetition penalty (Keskar et al. 2019, arXiv:1909.05858,
// section 4.1), top-k (Fan et al. 2018), top-p (Holtzman et al. 2020), min-p (Nguyen et al. 2024)
// and, last, temperature.
class Categorical final : public Node {
  In logits{this, "logits", "[batch, ..., classes]; -inf is never drawn.", {.grad = false}};
  In seen{
      this,
      "seen",
      "Classes that the repetition penalty is for, [batch, n], such as the tokens before; -1 is "
      "none.",
      {.dtype = DType::i32, .grad = false, .optional = true}};
  Out y{this, "y", "One class of each distribution, [batch, ...].", DType::i32};
  Param<double> temperature{this, "temperature",
                            "Divides the logits of what is left; 0: the most likely class.", 1,
                            scheduled(at_least(0))};
  Param<int64_t> top_k{this, "top_k", "So many of the most likely classes are left; 0: all.", 0,
                       within(0, 1 << 24)};
  Param<double> top_p{this, "top_p",
                      "As many of the most likely classes are left as have this probability "
                      "together.",
                      1, scheduled({.most = 1, .above = 0})};
  Param<double> min_p{this, "min_p",
                      "Classes are left that have this share of the probability of the most likely "
                      "one.",
                      0, scheduled(within(0, 1))};
  Param<double> repetition_penalty{this, "repetition_penalty",
                                   "Divides logits of classes that `seen` holds, or multiplies "
                                   "those below 0, so that they fall as well.",
                                   1, scheduled(above(0))};

  std::vector<float> scores_, weights_;  // [classes]
  std::vector<int32_t> candidates_;      // classes that are left

  int64_t classes() const { return logits.shape().back(); }
  float score(int32_t c) const { return scores_[static_cast<size_t>(c)]; }
  float& weight(int32_t c) { return weights_[static_cast<size_t>(c)]; }

  void infer() override {
    const Shape& from = logits.shape();
    if (from.rank() < 2 || classes() == 0)
      throw Error("`logits` are " + from.str() + ", but must be [batch, ..., classes]");
    if (seen.wired() && (seen.shape().rank() != 2 || seen.rows() != logits.rows()))
      throw Error("`seen` is " + seen.shape().str() + ", but must be [batch, n]");
    if (!seen.wired() && (repetition_penalty.least() != 1 || repetition_penalty.most() != 1))
      throw Error("`repetition_penalty` needs `seen`, the classes that it is for");
    y.shape(Shape(from.dims().first(from.rank() - 1)));
  }

  void prepare(Pass) override {
    for (auto* own : {&scores_, &weights_}) own->resize(static_cast<size_t>(classes()));
    candidates_.resize(static_cast<size_t>(classes()));
  }

  void forward(const Step& step) override {
    for (int64_t row = 0; row < y.rows(); ++row) {
      Random random = this->random(step, row);
      for (int64_t i = row * y.row_size(); i < (row + 1) * y.row_size(); ++i) {
        const auto chance = static_cast<double>(random.below(uint64_t{1} << 53)) * 0x1p-53;
        y.ints()[i] = draw(logits.data() + i * classes(), row, chance);
      }
    }
  }

  int32_t draw(const float* given, int64_t row, double chance) {
    std::copy_n(given, classes(), scores_.begin());
    if (seen.wired()) penalize(given, seen.ints() + row * seen.row_size());
    const auto best = std::max_element(scores_.begin(), scores_.end());
    if (unusable(scores_.data(), classes()) || std::isinf(*best))
      throw Error(Exit::nonfinite, "`logits` hold NaN or inf, or nothing but -inf");
    if (*temperature == 0) return static_cast<int32_t>(best - scores_.begin());
    candidates_.resize(scores_.size());
    std::iota(candidates_.begin(), candidates_.end(), 0);
    if (*top_k > 0 && *top_k < classes()) keep_first(static_cast<size_t>(*top_k));
    if (*top_p < 1) keep_nucleus(*best);
    if (*min_p > 0) keep_above(*best + static_cast<float>(std::log(*min_p)));
    return pick(*best, chance);
  }

  void penalize(const float* given, const int32_t* seen_here) {
    const auto penalty = static_cast<float>(*repetition_penalty);
    for (int64_t i = 0; i < seen.row_size(); ++i) {
      const int32_t c = seen_here[i];
      if (c < -1 || c >= classes())
        throw Error(Exit::data, "`seen` holds " + std::to_string(c) + ", but `logits` have " +
                                    std::to_string(classes()) + " classes");
      if (c >= 0)
        scores_[static_cast<size_t>(c)] = given[c] > 0 ? given[c] / penalty : given[c] * penalty;
    }
  }

  bool likelier(int32_t a, int32_t b) const {
    return score(a) != score(b) ? score(a) > score(b) : a < b;
  }

  // Puts the likeliest of the candidates from `begin` on there, up to `end`, in order.
  void sort(size_t begin, size_t end) {
    const auto first = candidates_.begin() + static_cast<int64_t>(begin),
               last = candidates_.begin() + static_cast<int64_t>(end);
    const auto order = [this](int32_t a, int32_t b) { return likelier(a, b); };
    std::nth_element(first, last, candidates_.end(), order);
    std::sort(first, last, order);
  }

  void keep_first(size_t k) {
    sort(0, k);
    candidates_.resize(k);
  }

  void keep_nucleus(float best) {  // it is small as a rule, so not all are sorted
    double left = weigh(best, 1) * *top_p;
    size_t n = 0, sorted = 0;
    while (n < candidates_.size() && (n == 0 || left > 0)) {
      if (n == sorted) sort(n, sorted = std::min(candidates_.size(), 2 * n + 64));
      left -= static_cast<double>(weight(candidates_[n++]));
    }
    candidates_.resize(n);
  }

  void keep_above(float least) {
    std::erase_if(candidates_, [&](int32_t c) { return score(c) < least; });
  }

  // Makes exp((score - best) / temperature) the weights of the candidates, and returns their sum.
  double weigh(float best, float temperature) {
    double sum = 0;
    for (const int32_t c : candidates_) {
      weight(c) = simd::exp((score(c) - best) / temperature);
      sum += static_cast<double>(weight(c));
    }
    return sum;
  }

  int32_t pick(float best, double chance) {
    const auto t = std::max(static_cast<float>(*temperature), std::numeric_limits<float>::min());
    double left = chance * weigh(best, t);
    int32_t drawn = candidates_[0];
    for (size_t i = 0; i < candidates_.size() && left >= 0; ++i) {
      if (weight(candidates_[i]) == 0) continue;
      drawn = candidates_[i];
      left -= static_cast<double>(weight(drawn));
    }
    return drawn;
  }
};

WEFT_NODE(Categorical, "categorical",
          "Draws a class from logits, such as the next token of a text.",
          "{logits: [4, 3, 7], seen: {shape: [4, 2], below: 7}, temperature: 0.7, top_k: 5, top_p: "
          "0.9, min_p: 0.05, repetition_penalty: 1.3}")

}  // namespace
}  // namespace weft

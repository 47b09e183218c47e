#include <algorithm>
#include <vector>

#include "framework/node/dnn.h"
#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/parallel.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"

namespace weft {
namespace {

// The first k for which score - half, which is |x|² / 2 less half the squared distance, is
// greatest.
WEFT_SIMD int64_t nearest(const float* __restrict score, const float* __restrict half, int64_t n) {
  float most = score[0] - half[0];
  WEFT_MAX(most)
  for (int64_t k = 0; k < n; ++k) most = score[k] - half[k] > most ? score[k] - half[k] : most;
  int64_t k = 0;
  while (k + 1 < n && score[k] - half[k] != most) ++k;
  return k;
}

WEFT_SIMD float squared_distance(const float* __restrict a, const float* __restrict b, int64_t n) {
  float sum = 0;
  WEFT_SUM(sum)
  for (int64_t i = 0; i < n; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

WEFT_SIMD void grad_x(const float* __restrict x, const float* __restrict y,
                      const float* __restrict grad_y, float pull, float* __restrict grad,
                      int64_t n) {
  for (int64_t i = 0; i < n; ++i) grad[i] = grad_y[i] + pull * (x[i] - y[i]);
}

// van den Oord et al. 2017, arXiv:1711.00937: section 3.1 and, of the codebook, appendix A.1, with
// the Laplace smoothing of its authors' code. A code starts as the mean of one vector, itself.
class VectorQuantize final : public Node {
  In x{this, "x", "[batch, ..., features]; it or `look_up` must be wired.", {.optional = true}};
  In look_up{this,
             "look_up",
             "Codes whose vectors are wanted instead, [batch, ...].",
             {.dtype = DType::i32, .grad = false, .optional = true}};
  Out y{this, "y", "The vectors of the codes, [batch, ..., features]; gradients pass to `x`."};
  Out code{this, "code", "The nearest code of each vector, or those given, [batch, ...].",
           DType::i32};
  Out commitment{this, "commitment",
                 "Mean of (x - y)² over a sample, which draws `x` to its code, [batch]."};
  Param<int64_t> codes{this, "codes", "Vectors of the codebook.", required, within(1, 1 << 20)};
  Param<int64_t> features{this, "features", "Their extent.", required, within(1, 1 << 20)};
  Param<double> decay{this, "decay", "Of the moving averages.", 0.99, scheduled(within(0, 1))};
  Param<double> eps{this, "eps", "Added to the counts: Laplace smoothing.", 1e-5, above(0)};
  Param<double> revive{
      this, "revive",
      "A code that is used less than this share of what it were if all were used alike becomes a "
      "random vector of the batch (Dhariwal et al. 2020, arXiv:2005.00341); 0: none does.",
      0.01, within(0, 1)};
  State codebook{this, "codebook", "[codes, features]"};
  State count{this, "count", "Moving average of each code's uses in a step, [codes]; 1 at first."};

  struct Search {  // of the codes of one sample's vectors
    Matmul products;
    std::vector<float> scores;  // [vectors, codes]
  };
  std::vector<Search> searches_;          // by block of samples
  std::vector<float> half_, used_, sum_;  // |code|² / 2 and uses, [codes]; [codes, features]

  bool moves() const { return training() && !frozen() && x.wired(); }
  bool whole_batch() const override { return moves(); }
  int64_t vectors() const { return code.row_size(); }
  int64_t block() const {
    return moves() ? (code.rows() + 15) / 16 : std::max<int64_t>(1, code.rows());
  }
  float* vector(int64_t k) const { return codebook.data() + k * *features; }

  void infer() override {
    if (x.wired() == look_up.wired())
      throw Error(x.wired() ? "`x` and `look_up` are wired, but one must be"
                            : "neither `x` nor `look_up` is wired, but one must be");
    const Shape& from = x.wired() ? x.shape() : look_up.shape();
    if (x.wired() && (from.rank() < 2 || from.back() != *features))
      throw Error("`x` is " + from.str() + ", but must be [batch, ..., " +
                  std::to_string(*features) + "], as `features` says");
    if (from.rank() < 1) throw Error("`look_up` is one number, but must be [batch, ...]");
    y.shape(x.wired() ? from : from.inserted(from.rank(), *features));
    code.shape(x.wired() ? from.without(from.rank() - 1) : from);
    commitment.shape({from.rows()});
    codebook.shape({*codes, *features}, Init::normal(1));
    count.shape({*codes}, Init::constant(1));
  }

  void prepare(Pass pass) override {
    if (pass != Pass::forward || look_up.wired()) return;
    half_.resize(static_cast<size_t>(*codes));
    for (int64_t row = 0; row < x.rows(); row += block())
      searches_.push_back(
          {Matmul(Matrix::plain(vectors(), *features), Matrix::plain(*codes, *features).t(),
                  Matrix::plain(vectors(), *codes)),
           std::vector<float>(static_cast<size_t>(vectors() * *codes))});
    if (!moves()) return;
    used_.resize(static_cast<size_t>(*codes));
    sum_.resize(static_cast<size_t>(*codes * *features));
  }

  void forward(const Step& step) override {
    if (look_up.wired()) return copy_vectors();
    for (int64_t k = 0; k < *codes; ++k) half_[k] = 0.5F * dot(vector(k), vector(k), *features);
    in_blocks(x.rows(), block(), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        quantize(row, searches_[static_cast<size_t>(begin / block())]);
    });
    if (moves()) learn_codebook(step);
  }

  void copy_vectors() {
    for (int64_t i = 0; i < look_up.size(); ++i) {
      const int32_t k = code.ints()[i] = look_up.ints()[i];
      if (k < 0 || k >= *codes)
        throw Error(Exit::data, "`look_up` holds " + std::to_string(k) + ", but there are " +
                                    std::to_string(*codes) + " codes");
      std::copy_n(vector(k), *features, y.data() + i * *features);
    }
    std::fill_n(commitment.data(), commitment.size(), 0.0F);
  }

  void quantize(int64_t row, Search& search) const {
    const int64_t n = x.row_size();
    const float* from = x.data() + row * n;
    float* to = y.data() + row * n;
    search.products(from, codebook.data(), search.scores.data());
    for (int64_t i = 0; i < vectors(); ++i) {
      const int64_t k = nearest(search.scores.data() + i * *codes, half_.data(), *codes);
      code.ints()[row * vectors() + i] = static_cast<int32_t>(k);
      std::copy_n(vector(k), *features, to + i * *features);
    }
    commitment.data()[row] =
        squared_distance(from, to, n) / static_cast<float>(std::max<int64_t>(1, n));
  }

  // Blends the sums and the counts of this batch into those that the codebook is the ratio of.
  void learn_codebook(const Step& step) {
    std::fill(used_.begin(), used_.end(), 0.0F), std::fill(sum_.begin(), sum_.end(), 0.0F);
    const int64_t n = step.rows * vectors();
    for (int64_t i = 0; i < n; ++i) {
      const int32_t k = code.ints()[i];
      used_[k] += 1;
      add_scaled(x.data() + i * *features, 1, sum_.data() + k * *features, *features);
    }
    const auto keep = static_cast<float>(*decay);
    const double before = total(), after = *decay * before + (1 - *decay) * static_cast<double>(n);
    for (int64_t k = 0; k < *codes; ++k) {
      float& uses = count.data()[k];
      const float was = smooth(uses, before);
      uses = keep * uses + (1 - keep) * used_[k];
      const float now = smooth(uses, after), *sum = sum_.data() + k * *features;
      for (int64_t j = 0; j < *features; ++j)
        vector(k)[j] = (keep * was * vector(k)[j] + (1 - keep) * sum[j]) / now;
    }
    if (n > 0) revive_codes(random(step, 0), n, after / static_cast<double>(*codes));
  }

  double total() const {
    double sum = 0;
    for (int64_t k = 0; k < *codes; ++k) sum += static_cast<double>(count.data()[k]);
    return sum;
  }
  float smooth(float uses, double total) const {
    return static_cast<float>((static_cast<double>(uses) + *eps) /
                              (total + static_cast<double>(*codes) * *eps) * total);
  }

  void revive_codes(Random random, int64_t n, double even) {
    for (int64_t k = 0; k < *codes; ++k) {
      if (static_cast<double>(count.data()[k]) >= *revive * even) continue;
      const auto from = static_cast<int64_t>(random.below(static_cast<uint64_t>(n)));
      std::copy_n(x.data() + from * *features, *features, vector(k));
      count.data()[k] = static_cast<float>(even);
    }
  }

  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    const int64_t n = x.row_size();
    for (int64_t row = 0; row < x.rows(); ++row) {
      const float pull = 2 * commitment.grad()[row] / static_cast<float>(std::max<int64_t>(1, n));
      grad_x(x.data() + row * n, y.data() + row * n, y.grad() + row * n, pull, x.grad() + row * n,
             n);
    }
  }

  double flops() const override {
    return x.wired() ? 2.0 * static_cast<double>(x.size() * *codes) : 0;
  }
};

WEFT_NODE(VectorQuantize, "vector_quantize",
          "Replaces vectors by the nearest ones of a codebook that follows them (VQ-VAE).",
          "{x: [5, 3, 2, 3], codes: 7, features: 3, decay: 0.5, revive: 0.4}", .inexact = "y",
          .follows_state = true)

}  // namespace
}  // namespace weft

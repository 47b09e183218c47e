#include <algorithm>

#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/parallel.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

// Rows lie n apart; what is written has one number for each of `cols` columns.
WEFT_SIMD void sum_squares(const float* __restrict x, const float* __restrict mean, int64_t rows,
                           int64_t n, int64_t cols, float* __restrict y) {
  std::fill_n(y, cols, 0.0F);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; ++j) y[j] += (x[i * n + j] - mean[j]) * (x[i * n + j] - mean[j]);
}
WEFT_SIMD void greatest(const float* __restrict x, int64_t rows, int64_t n, int64_t cols,
                        float* __restrict y) {
  std::copy_n(x, cols, y);
  for (int64_t i = 1; i < rows; ++i)
    for (int64_t j = 0; j < cols; ++j)
      y[j] = x[i * n + j] > y[j] || x[i * n + j] != x[i * n + j] ? x[i * n + j] : y[j];
}
WEFT_SIMD void count_equals(const float* __restrict x, const float* __restrict y, int64_t rows,
                            int64_t n, int64_t cols, float* __restrict count) {
  std::fill_n(count, cols, 0.0F);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; ++j) count[j] += x[i * n + j] == y[j] ? 1.0F : 0.0F;
}
// The base of nodes that measure the samples of a batch, element by element.
class BatchStatistic : public Node {
 protected:
  In x{this, "x", "[batch, ...]"};
  Out y{this, "y", "Shaped as `x`: each row has what is measured over the samples of the batch."};

  int64_t n() const { return x.row_size(); }
  static float share(int64_t rows) { return 1 / static_cast<float>(std::max<int64_t>(rows, 1)); }

  void infer() override {
    if (x.shape().rank() == 0) throw Error("`x` is one number, [], but must be [batch, ...]");
    y.shape(x.shape());
  }
  void prepare(Pass) override {
    for (auto* scratch : {&total_, &other_}) scratch->resize(static_cast<size_t>(n()));
  }

  float* other(int64_t begin) { return other_.data() + begin; }  // scratch, [n]

 private:
  std::vector<float> total_, other_;

  // y = the statistic of `cols` columns from `begin` on.
  virtual void measure(int64_t begin, int64_t rows, int64_t cols, float* to) = 0;
  // The gradients of these columns of x, from the sum of those of y, which may be overwritten.
  virtual void spread(int64_t begin, int64_t rows, int64_t cols, float* total) = 0;

  bool whole_batch() const override { return true; }

  void forward(const Step& step) override {
    const int64_t rows = std::min(step.rows, x.rows());
    if (x.rows() == 0) return;
    in_blocks(n(), block, [&](int64_t begin, int64_t end) {
      measure(begin, rows, end - begin, y.data() + begin);
      for (int64_t row = 1; row < y.rows(); ++row)
        std::copy_n(y.data() + begin, end - begin, y.data() + row * n() + begin);
    });
  }
  void backward(const Step& step) override {
    const int64_t rows = std::min(step.rows, x.rows());
    if (!x.wants_grad()) return;
    std::fill(x.grad() + rows * n(), x.grad() + x.size(), 0.0F);
    in_blocks(n(), block, [&](int64_t begin, int64_t end) {
      float* const total = total_.data() + begin;
      sum_rows(y.grad() + begin, rows, n(), end - begin, total);
      spread(begin, rows, end - begin, total);
    });
  }

  static constexpr int64_t block = 1024;  // columns
};

class BatchMean final : public BatchStatistic {
  Twice twice() const override { return Twice::linear; }
  void infer() override {
    BatchStatistic::infer();
    x.forward_only(), y.forward_only();
  }
  void measure(int64_t begin, int64_t rows, int64_t cols, float* to) override {
    sum_rows(x.data() + begin, rows, n(), cols, to);
    scale(to, share(rows), cols);
  }
  void spread(int64_t begin, int64_t rows, int64_t cols, float* total) override {
    for (int64_t row = 0; row < rows; ++row)
      scaled(total, share(rows), x.grad() + row * n() + begin, cols);
  }
};

class BatchVariance final : public BatchStatistic {
  Param<bool> unbiased{this, "unbiased", "Divides by one less than there are samples.", false};

  float share_of_squares(int64_t rows) const { return share(rows - (*unbiased ? 1 : 0)); }

  void infer() override {
    BatchStatistic::infer();
    y.forward_only();
  }
  const float* mean(int64_t begin, int64_t rows, int64_t cols) {
    sum_rows(x.data() + begin, rows, n(), cols, other(begin));
    scale(other(begin), share(rows), cols);
    return other(begin);
  }
  void measure(int64_t begin, int64_t rows, int64_t cols, float* to) override {
    sum_squares(x.data() + begin, mean(begin, rows, cols), rows, n(), cols, to);
    scale(to, share_of_squares(rows), cols);
  }
  void spread(int64_t begin, int64_t rows, int64_t cols, float* total) override {
    const float* const m = mean(begin, rows, cols);
    scale(total, 2 * share_of_squares(rows), cols);
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t at = row * n() + begin;
      deviations(x.data() + at, m, total, x.grad() + at, cols);
    }
  }
  static WEFT_SIMD void deviations(const float* __restrict x, const float* __restrict mean,
                                   const float* __restrict by, float* __restrict y, int64_t n) {
    for (int64_t i = 0; i < n; ++i) y[i] = by[i] * (x[i] - mean[i]);
  }
};

class BatchMax final : public BatchStatistic {
  void measure(int64_t begin, int64_t rows, int64_t cols, float* to) override {
    greatest(x.data() + begin, rows, n(), cols, to);
  }
  void spread(int64_t begin, int64_t rows, int64_t cols, float* total) override {
    const float* const most = y.data() + begin;  // row 0
    count_equals(x.data() + begin, most, rows, n(), cols, other(begin));
    for (int64_t j = 0; j < cols; ++j) total[j] /= other(begin)[j];
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t at = row * n() + begin;
      where_equal(x.data() + at, most, total, x.grad() + at, cols);
    }
  }
  static WEFT_SIMD void where_equal(const float* __restrict x, const float* __restrict most,
                                    const float* __restrict grad, float* __restrict y, int64_t n) {
    for (int64_t i = 0; i < n; ++i) y[i] = x[i] == most[i] ? grad[i] : 0;
  }
};

WEFT_NODE(BatchMean, "batch_mean", "The mean over the samples of a batch.", "{x: [5, 3, 2]}")
WEFT_NODE(BatchVariance, "batch_variance",
          "The variance over the samples of a batch; 0 of one sample.",
          "{x: [5, 3, 2], unbiased: true}")
WEFT_NODE(BatchMax, "batch_max",
          "The greatest number over the samples of a batch; equals share the gradient.",
          "{x: [5, 3, 2]}")

}  // namespace
}  // namespace weft

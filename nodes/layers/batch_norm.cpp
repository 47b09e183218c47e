#include <algorithm>
#include <cmath>

#include "framework/node/dnn.h"
#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/parallel.h"
#include "framework/node/plugin.h"
#include "framework/node/summary.h"
#include "nodes/layers/channels.h"

namespace weft {
namespace {

// A chunk of rows is summed in single precision while it is in the cache; chunks are added up in
// double.
constexpr int64_t chunk = 64;

class BatchNorm final : public Node {
  In x{this, "x", "[batch, ..., c]; normalised over all axes but the last."};
  Out y{this, "y", "Shaped as `x`."};
  Param<double> eps{this, "eps", "Added to the variance.", 1e-5, above(0)};
  Param<double> momentum{this, "momentum", "Share of the new batch in the running statistics.", 0.1,
                         scheduled(within(0, 1))};
  Param<Activation> activation{this, "activation", "Applied to the result.", Activation::none};
  Param<double> slope{this, "slope", "Of leaky_relu below 0.", 0.01, at_least(0)};
  Param<bool> affine{this, "affine", "Scale and shift the result by learned numbers.", true};
  Weight weight{this, "weight", "[c]; absent if `affine: false`"};
  Weight bias{this, "bias", "[c]; absent if `affine: false`"};
  State running_mean{this, "running_mean", "[c]; used outside training, and in frozen modules."};
  State running_var{this, "running_var", "[c]; unbiased; used outside training."};
  Summary moments{this, "moments",
                  "Sites, their mean and squared deviations; mean and 1 / deviation.",
                  Pass::forward};
  Summary slopes{this, "slopes", "Σ dy and Σ dy (x - mean); the gradients of bias and weight.",
                 Pass::backward};

  std::vector<double> first_, second_;               // [blocks, c], sums over each block of sites
  std::vector<float> scale_, slope_, shift_, mean_;  // [c]

  bool by_batch() const { return training() && !frozen(); }
  bool learns_in_lanes() const override { return true; }
  int64_t c() const { return x.shape().back(); }
  int64_t sites(int64_t rows) const { return rows * (x.row_size() / c()); }
  int64_t sites_here(const Step& step) const {  // that hold samples
    return sites(std::clamp<int64_t>(step.rows - first_row(), 0, x.rows()));
  }
  float mean(int64_t j) const { return static_cast<float>(moments.whole()[j]); }
  float rstd(int64_t j) const { return static_cast<float>(moments.whole()[c() + j]); }

  void infer() override {
    if (x.shape().rank() < 2 || c() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, ..., c]");
    y.shape(x.shape());
    if (*activation == Activation::none) y.forward_only();
    if (*affine) weight.shape({c()}, Init::constant(1)), bias.shape({c()}, Init::constant(0));
    running_mean.shape({c()}, Init::constant(0));
    running_var.shape({c()}, Init::constant(1));
    if (by_batch()) moments.shape(1 + 2 * c(), 2 * c()), slopes.shape(2 * c(), 2 * c());
  }

  // The number of rows that one thread takes at once: 256 KiB.
  int64_t block() const { return (65536 / c() / chunk + 1) * chunk; }
  int64_t blocks(int64_t rows) const { return (rows + block() - 1) / block(); }

  void prepare(Pass) override {
    const auto partial = static_cast<size_t>(std::max<int64_t>(blocks(x.size() / c()), 1) * c());
    first_.resize(partial), second_.resize(partial);
    for (auto* own : {&scale_, &slope_, &shift_, &mean_}) own->resize(static_cast<size_t>(c()));
  }

  // Calls f(first row, number of rows, number of rows before them in their block, the block's two
  // sums, [c]) for chunks of rows, in several blocks at once.
  template <class F>
  void each_chunk(int64_t rows, F f) {
    in_blocks(rows, block(), [&](int64_t begin, int64_t end) {
      double* first = first_.data() + begin / block() * c();
      double* second = second_.data() + begin / block() * c();
      std::fill_n(first, c(), 0.0), std::fill_n(second, c(), 0.0);
      for (int64_t i = begin; i < end; i += chunk)
        f(i, std::min(chunk, end - i), i - begin, first, second);
    });
  }

  // Adds up the blocks' sums, by f(first, second, rows before, further first and second, rows).
  template <class F>
  void add_blocks(int64_t rows, F f) {
    for (int64_t begin = block(); begin < rows; begin += block())
      for (int64_t j = 0; j < c(); ++j)
        f(first_[j], second_[j], begin, first_[begin / block() * c() + j],
          second_[begin / block() * c() + j], std::min(block(), rows - begin));
  }

  // y = scale x + shift.
  void set_scale() {
    for (int64_t j = 0; j < c(); ++j) {
      const float r =
          by_batch() ? rstd(j) : 1 / std::sqrt(running_var.data()[j] + static_cast<float>(*eps));
      scale_[j] = *affine ? r * weight.data()[j] : r;
      mean_[j] = by_batch() ? mean(j) : running_mean.data()[j];
      shift_[j] = (*affine ? bias.data()[j] : 0) - mean_[j] * scale_[j];
    }
  }

  void forward(const Step&) override {
    set_scale();
    in_blocks(x.size() / c(), block(), [&](int64_t begin, int64_t end) {
      float* to = y.data() + begin * c();
      scale_rows(x.data() + begin * c(), scale_.data(), shift_.data(), to, end - begin, c());
      activation_forward(*activation, static_cast<float>(*slope), to, (end - begin) * c());
    });
  }

  void summarize(const Step& step, Pass pass) override {
    const int64_t m = sites_here(step);
    pass == Pass::forward ? measure(m) : sum_up(m);
    double* to = pass == Pass::forward ? moments.part() : slopes.part();
    if (pass == Pass::forward) *to++ = static_cast<double>(m);
    std::copy_n(first_.data(), c(), to);
    std::copy_n(second_.data(), c(), to + c());
  }

  void join(const Step&, Pass pass) override {
    pass == Pass::forward ? join_moments() : join_slopes();
  }

  // Joins the mean and the sum of squared deviations of n numbers with those of m more (Chan et al.
  // 1983).
  static void join(double& mean, double& squares, double n, double more_mean, double more_squares,
                   double m) {
    const double apart = more_mean - mean;
    mean += apart * m / (n + m);
    squares += more_squares + apart * apart * n * m / (n + m);
  }

  // The mean and squared deviations of the first m sites.
  void measure(int64_t m) {
    std::fill_n(first_.data(), c(), 0.0), std::fill_n(second_.data(), c(), 0.0);
    each_chunk(m, [&](int64_t at, int64_t rows, int64_t n, double* mean, double* squares) {
      thread_local std::vector<float> sum, square;
      sum.resize(static_cast<size_t>(c())), square.resize(static_cast<size_t>(c()));
      sum_rows(x.data() + at * c(), rows, c(), c(), sum.data());
      for (float& s : sum) s /= static_cast<float>(rows);
      sum_squares(x.data() + at * c(), sum.data(), rows, c(), square.data());
      for (size_t j = 0; j < sum.size(); ++j)
        join(mean[j], squares[j], static_cast<double>(n), sum[j], square[j],
             static_cast<double>(rows));
    });
    add_blocks(m, [](double& mean, double& squares, int64_t n, double more_mean,
                     double more_squares, int64_t rows) {
      join(mean, squares, static_cast<double>(n), more_mean, more_squares,
           static_cast<double>(rows));
    });
  }

  // Joins the lanes' moments, and blends them into the running statistics.
  void join_moments() {
    double m = 0, *const first = moments.whole(), *const second = first + c();
    for (int64_t lane = 0; lane < moments.parts(); ++lane) {
      const double* const part = moments.part(lane);
      if (m == 0)
        std::copy_n(part + 1, 2 * c(), first);
      else if (part[0] > 0)  // else it is a lane of padding
        for (int64_t j = 0; j < c(); ++j)
          join(first[j], second[j], m, part[1 + j], part[1 + c() + j], part[0]);
      m += part[0];
    }
    const double share = *momentum, unbiased = m > 1 ? 1 / (m - 1) : 0;
    const auto blend = [&](float& running, double now) {
      running = static_cast<float>((1 - share) * running + share * now);
    };
    for (int64_t j = 0; j < c(); ++j) {
      blend(running_mean.data()[j], first[j]);
      blend(running_var.data()[j], second[j] * unbiased);
      first[j] = static_cast<float>(first[j]);
      second[j] = static_cast<float>(1 / std::sqrt(second[j] / m + *eps));
    }
  }

  void backward(const Step& step) override {  // Ioffe & Szegedy 2015, section 3
    set_scale();
    std::fill(slope_.begin(), slope_.end(), 0.0F), std::fill(shift_.begin(), shift_.end(), 0.0F);
    int64_t m = x.size() / c();
    if (frozen()) {
      before_activation(0, m);
    } else {
      m = sites_here(step);
      const auto n = static_cast<float>(sites(step.rows));
      for (int64_t j = 0; j < c(); ++j) {
        const auto grad_bias = static_cast<float>(slopes.whole()[j]);
        const auto grad_weight = static_cast<float>(slopes.whole()[c() + j]);
        slope_[j] = -scale_[j] * rstd(j) * grad_weight / n;
        shift_[j] = -scale_[j] * grad_bias / n - slope_[j] * mean(j);
      }
    }
    if (!x.wants_grad()) return;
    in_blocks(m, block(), [&](int64_t begin, int64_t end) {
      grad_rows(y.grad() + begin * c(), x.data() + begin * c(), scale_.data(), slope_.data(),
                shift_.data(), x.grad() + begin * c(), end - begin, c());
    });
    std::fill(x.grad() + m * c(), x.grad() + x.size(), 0.0F);
  }

  void before_activation(int64_t at, int64_t rows) {
    activation_backward(*activation, static_cast<float>(*slope), y.data() + at * c(),
                        y.grad() + at * c(), rows * c());
  }

  // The sums of which the gradients of weight and bias are made, which that of x needs as well.
  void sum_up(int64_t m) {
    set_scale();
    std::fill_n(first_.data(), c(), 0.0), std::fill_n(second_.data(), c(), 0.0);
    each_chunk(m, [&](int64_t at, int64_t rows, int64_t, double* sums, double* products) {
      thread_local std::vector<float> sum, product;
      sum.resize(static_cast<size_t>(c())), product.resize(static_cast<size_t>(c()));
      before_activation(at, rows);
      sum_grads(y.grad() + at * c(), x.data() + at * c(), mean_.data(), rows, c(), sum.data(),
                product.data());
      for (size_t j = 0; j < sum.size(); ++j) sums[j] += sum[j], products[j] += product[j];
    });
    add_blocks(m, [](double& sum, double& product, int64_t, double more, double more_product,
                     int64_t) { sum += more, product += more_product; });
  }

  void join_slopes() {
    double* const sums = slopes.whole();
    std::copy_n(slopes.part(0), 2 * c(), sums);
    for (int64_t lane = 1; lane < slopes.parts(); ++lane)
      for (int64_t j = 0; j < 2 * c(); ++j) sums[j] += slopes.part(lane)[j];
    for (int64_t j = 0; j < c(); ++j) {
      sums[j] = static_cast<float>(sums[j]);
      sums[c() + j] = static_cast<float>(sums[c() + j] * rstd(j));
    }
  }

  void learn(const Step&) override {
    for (int64_t j = 0; j < c(); ++j) {
      if (bias.wants_grad()) bias.grad()[j] = static_cast<float>(slopes.part()[j]);
      if (weight.wants_grad())
        weight.grad()[j] = static_cast<float>(slopes.part()[c() + j] * rstd(j));
    }
  }
};

WEFT_NODE(
    BatchNorm, "batch_norm",
    "Normalises each feature over the batch (Ioffe & Szegedy 2015); the last axis is features.",
    "{x: [7, 2, 5], activation: tanh}")

}  // namespace
}  // namespace weft

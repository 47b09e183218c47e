#include <algorithm>
#include <cmath>

#include "framework/node/dnn.h"
#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/parallel.h"
#include "framework/node/plugin.h"
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
  Saved mean{this, "mean", "[c]; of this batch."};
  Saved rstd{this, "rstd", "[c]; 1 / sqrt(variance + eps) of this batch."};
  Saved grad_weight{this, "grad_weight", "[c]; Σ dy x̂ of this batch."};
  Saved grad_bias{this, "grad_bias", "[c]; Σ dy of this batch."};

  std::vector<double> first_, second_;        // [blocks, c], sums over each block of rows
  std::vector<float> scale_, slope_, shift_;  // [c]

  bool whole_batch() const override { return training() && !frozen(); }
  int64_t c() const { return x.shape().back(); }
  int64_t sites(const Step& step) const { return step.rows * (x.row_size() / c()); }

  void infer() override {
    if (x.shape().rank() < 2 || c() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, ..., c]");
    y.shape(x.shape());
    if (*activation == Activation::none) y.forward_only();
    if (*affine) weight.shape({c()}, Init::constant(1)), bias.shape({c()}, Init::constant(0));
    running_mean.shape({c()}, Init::constant(0));
    running_var.shape({c()}, Init::constant(1));
    if (!whole_batch()) return;
    for (Saved* own : {&mean, &rstd, &grad_weight, &grad_bias}) own->shape({c()});
  }

  // The number of rows that one thread takes at once: 256 KiB.
  int64_t block() const { return (65536 / c() / chunk + 1) * chunk; }
  int64_t blocks(int64_t rows) const { return (rows + block() - 1) / block(); }

  void prepare(Pass) override {
    const auto partial = static_cast<size_t>(blocks(x.size() / c()) * c());
    first_.resize(partial), second_.resize(partial);
    for (auto* own : {&scale_, &slope_, &shift_}) own->resize(static_cast<size_t>(c()));
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

  // y = scale x + shift.
  void set_scale() {
    for (int64_t j = 0; j < c(); ++j) {
      const float r = whole_batch()
                          ? rstd.data()[j]
                          : 1 / std::sqrt(running_var.data()[j] + static_cast<float>(*eps));
      scale_[j] = *affine ? r * weight.data()[j] : r;
      shift_[j] = (*affine ? bias.data()[j] : 0) -
                  (whole_batch() ? mean.data() : running_mean.data())[j] * scale_[j];
    }
  }

  void forward(const Step& step) override {
    if (whole_batch()) measure(sites(step));
    set_scale();
    in_blocks(x.size() / c(), block(), [&](int64_t begin, int64_t end) {
      float* to = y.data() + begin * c();
      scale_rows(x.data() + begin * c(), scale_.data(), shift_.data(), to, end - begin, c());
      activation_forward(*activation, static_cast<float>(*slope), to, (end - begin) * c());
    });
  }

  // Joins the mean and the sum of squared deviations of n numbers with those of m more (Chan et al.
  // 1983).
  static void join(double& mean, double& squares, double n, double more_mean, double more_squares,
                   double m) {
    const double apart = more_mean - mean;
    mean += apart * m / (n + m);
    squares += more_squares + apart * apart * n * m / (n + m);
  }

  // Computes the statistics of the first `m` rows, and blends them into the running ones.
  void measure(int64_t m) {
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
    for (int64_t begin = block(); begin < m; begin += block())
      for (int64_t j = 0; j < c(); ++j)
        join(first_[j], second_[j], static_cast<double>(begin), first_[begin / block() * c() + j],
             second_[begin / block() * c() + j], static_cast<double>(std::min(block(), m - begin)));
    const double share = *momentum, unbiased = m > 1 ? 1.0 / static_cast<double>(m - 1) : 0;
    const auto blend = [&](float& running, double now) {
      running = static_cast<float>((1 - share) * running + share * now);
    };
    for (int64_t j = 0; j < c(); ++j) {
      mean.data()[j] = static_cast<float>(first_[j]);
      rstd.data()[j] =
          static_cast<float>(1 / std::sqrt(second_[j] / static_cast<double>(m) + *eps));
      blend(running_mean.data()[j], first_[j]);
      blend(running_var.data()[j], second_[j] * unbiased);
    }
  }

  void backward(const Step& step) override {  // Ioffe & Szegedy 2015, section 3
    set_scale();
    std::fill(slope_.begin(), slope_.end(), 0.0F), std::fill(shift_.begin(), shift_.end(), 0.0F);
    int64_t m = x.size() / c();
    if (frozen()) {
      before_activation(0, m);
    } else {
      m = sites(step);
      sum_up(m);
      const auto n = static_cast<float>(m);
      for (int64_t j = 0; j < c(); ++j) {
        slope_[j] = -scale_[j] * rstd.data()[j] * grad_weight.data()[j] / n;
        shift_[j] = -scale_[j] * grad_bias.data()[j] / n - slope_[j] * mean.data()[j];
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

  // Computes the gradients of weight and bias, which the gradient of x needs as well.
  void sum_up(int64_t m) {
    each_chunk(m, [&](int64_t at, int64_t rows, int64_t, double* sums, double* products) {
      thread_local std::vector<float> sum, product;
      sum.resize(static_cast<size_t>(c())), product.resize(static_cast<size_t>(c()));
      before_activation(at, rows);
      sum_grads(y.grad() + at * c(), x.data() + at * c(), mean.data(), rows, c(), sum.data(),
                product.data());
      for (size_t j = 0; j < sum.size(); ++j) sums[j] += sum[j], products[j] += product[j];
    });
    for (int64_t b = 1; b < blocks(m); ++b)
      for (int64_t j = 0; j < c(); ++j)
        first_[j] += first_[b * c() + j], second_[j] += second_[b * c() + j];
    for (int64_t j = 0; j < c(); ++j) {
      grad_bias.data()[j] = static_cast<float>(first_[j]);
      grad_weight.data()[j] = static_cast<float>(second_[j] * rstd.data()[j]);
    }
  }

  void learn(const Step&) override {
    for (Weight* own : {&weight, &bias})
      if (own->wants_grad())
        std::copy_n((own == &weight ? grad_weight : grad_bias).data() + own->block().begin,
                    own->block().size(), own->grad());
  }
};

WEFT_NODE(
    BatchNorm, "batch_norm",
    "Normalises each feature over the batch (Ioffe & Szegedy 2015); the last axis is features.",
    "{x: [7, 2, 5], activation: tanh}")

}  // namespace
}  // namespace weft

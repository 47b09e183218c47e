#include <algorithm>
#include <cmath>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Standardise final : public Node {
  In x{this, "x", "Rows, [batch, features]."};
  Out y{this, "y", "Shaped as `x`."};
  State running_mean{this, "running_mean", "[features], for evaluation."};
  State running_deviation{this, "running_deviation", "[features], for evaluation."};
  Saved mean{this, "mean", "[features], of this batch."};
  Saved deviation{this, "deviation", "[features], of this batch."};

  bool whole_batch() const override { return training() && !frozen(); }
  int64_t features() const { return x.row_size(); }

  void infer() override {
    if (x.shape().rank() != 2 || x.rows() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, features]");
    y.shape(x.shape());
    running_mean.shape({features()}, Init::constant(0));
    running_deviation.shape({features()}, Init::constant(1));
    if (whole_batch()) mean.shape({features()}), deviation.shape({features()});
  }

  void forward(const Step& step) override {
    if (whole_batch()) measure(step.rows);
    const float* const m = whole_batch() ? mean.data() : running_mean.data();
    const float* const d = whole_batch() ? deviation.data() : running_deviation.data();
    for (int64_t i = 0; i < x.size(); ++i)
      y.data()[i] = (x.data()[i] - m[i % features()]) / d[i % features()];
  }

  void measure(int64_t rows) {  // those behind them are no samples
    const auto n = static_cast<float>(rows);
    for (int64_t j = 0; j < features(); ++j) {
      float sum = 0, square = 0;
      for (int64_t i = 0; i < rows; ++i) sum += x.data()[i * features() + j];
      for (int64_t i = 0; i < rows; ++i)
        square += std::pow(x.data()[i * features() + j] - sum / n, 2.0F);
      mean.data()[j] = sum / n;
      deviation.data()[j] = std::sqrt(square / n + 1e-5F);
      running_mean.data()[j] += 0.1F * (mean.data()[j] - running_mean.data()[j]);
      running_deviation.data()[j] += 0.1F * (deviation.data()[j] - running_deviation.data()[j]);
    }
  }

  void backward(const Step& step) override {  // dx = (dy - mean(dy) - y mean(dy y)) / deviation
    const float* const d = whole_batch() ? deviation.data() : running_deviation.data();
    const int64_t rows = whole_batch() ? step.rows : x.rows();
    std::fill_n(x.grad() + rows * features(), x.size() - rows * features(), 0.0F);
    for (int64_t j = 0; j < features(); ++j) {
      float sum = 0, along = 0;
      for (int64_t i = j; whole_batch() && i < rows * features(); i += features())
        sum += y.grad()[i], along += y.grad()[i] * y.data()[i];
      const auto n = static_cast<float>(rows);
      for (int64_t i = j; i < rows * features(); i += features())
        x.grad()[i] = (y.grad()[i] - sum / n - y.data()[i] * along / n) / d[j];
    }
  }
};

WEFT_NODE(Standardise, "standardise", "(x - mean) / deviation, of each feature over the batch.",
          "{x: [5, 3]}")

}  // namespace
}  // namespace weft

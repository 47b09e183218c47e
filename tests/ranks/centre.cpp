// A node from outside weft that needs to know the whole batch and yet runs in lanes, for
// ranks_test.
#include <algorithm>

#include "framework/node/plugin.h"
#include "framework/node/summary.h"

namespace weft {
namespace {

class Centre final : public Node {
  In x{this, "x", "[batch, features]"};
  Out y{this, "y", "x less its mean over the batch."};
  State seen{this, "seen", "[features]: the mean of all batches."};
  State batches{this, "batches", "[1]: how many there were."};
  Summary sums{this, "sums", "Σ x of a lane; the mean.", Pass::forward};
  Summary slopes{this, "slopes", "Σ dy of a lane; the mean.", Pass::backward};

  bool by_batch() const { return training() && !frozen(); }
  int64_t features() const { return x.row_size(); }
  int64_t samples(const Step& step) const {
    return std::clamp<int64_t>(step.rows - first_row(), 0, x.rows());
  }

  void infer() override {
    y.shape(x.shape());
    y.forward_only(), x.forward_only();
    seen.shape({features()}, Init::constant(0));
    batches.shape({1}, Init::constant(0));
    if (by_batch()) sums.shape(features(), features()), slopes.shape(features(), features());
  }

  void summarize(const Step& step, Pass pass) override {
    const float* const from = pass == Pass::forward ? x.data() : y.grad();
    double* const to = (pass == Pass::forward ? sums : slopes).part();
    std::fill_n(to, features(), 0.0);
    for (int64_t i = 0; i < samples(step) * features(); ++i)
      to[i % features()] += static_cast<double>(from[i]);
  }

  void join(const Step& step, Pass pass) override {
    const Summary& of = pass == Pass::forward ? sums : slopes;
    std::fill_n(of.whole(), features(), 0.0);
    for (int64_t lane = 0; lane < of.parts(); ++lane)
      for (int64_t j = 0; j < features(); ++j)
        of.whole()[j] += of.part(lane)[j] / static_cast<double>(step.rows);
    if (pass == Pass::backward) return;
    ++batches.data()[0];
    for (int64_t j = 0; j < features(); ++j)
      seen.data()[j] += (static_cast<float>(of.whole()[j]) - seen.data()[j]) / batches.data()[0];
  }

  void forward(const Step&) override {
    for (int64_t i = 0; i < x.size(); ++i)
      y.data()[i] = x.data()[i] - (by_batch() ? static_cast<float>(sums.whole()[i % features()])
                                              : seen.data()[i % features()]);
  }

  void backward(const Step& step) override {
    if (!x.wants_grad()) return;
    for (int64_t i = 0; i < x.size(); ++i) {
      const float mean = by_batch() ? static_cast<float>(slopes.whole()[i % features()]) : 0;
      x.grad()[i] = i < samples(step) * features() ? y.grad()[i] - mean : 0;
    }
  }
};

WEFT_NODE(Centre, "centre", "Takes the mean of the batch away.", "{x: [5, 3]}")

}  // namespace
}  // namespace weft

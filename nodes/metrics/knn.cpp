#include <algorithm>
#include <cmath>
#include <numeric>

#include "framework/node/dnn.h"
#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

// The weighted nearest neighbours of Wu et al. 2018, arXiv:1805.01978, section 3.4.
class Knn final : public Node {
  In x{this, "x", "Features, [batch, d]; only their directions count.", {.grad = false}};
  In label{this, "label", "Their classes, [batch].", {.dtype = DType::i32, .grad = false}};
  Out y{this, "y",
        "The classes' votes, [batch, classes]: exp((cosine - the nearest's) / temperature) of each "
        "neighbour. "
        "Zeros in training, which only remembers."};
  Param<int64_t> classes{this, "classes", "How many.", required, within(1, 1 << 20)};
  Param<int64_t> capacity{this, "capacity", "Samples that are remembered, the last ones.", required,
                          within(1, 1 << 24)};
  Param<int64_t> k{this, "k", "Neighbours that vote.", 20, within(1, 1 << 16)};
  Param<double> temperature{this, "temperature", "Of the votes.", 0.07, scheduled(above(0))};
  State features{this, "features", "Directions, [capacity, d]."};
  State known{this, "known", "Their classes, [capacity]; -1 is an empty slot."};

  Matmul cosines_;
  std::vector<float> unit_, scores_;  // [batch, d]; [batch, capacity], empty while remembering
  std::vector<int64_t> order_;

  int64_t d() const { return x.shape()[1]; }
  bool remembers() const { return training() && !frozen(); }
  bool whole_batch() const override { return true; }

  void infer() override {
    if (x.shape().rank() != 2 || d() == 0 || label.shape() != Shape{x.rows()})
      throw Error("`x` is " + x.shape().str() + " and `label` is " + label.shape().str() +
                  ", but must be [batch, d] and [batch]");
    y.shape({x.rows(), *classes});
    features.shape({*capacity, d()}, Init::constant(0));
    known.shape({*capacity}, Init::constant(-1));
  }

  void prepare(Pass) override {
    cosines_ = Matmul(Matrix::plain(x.rows(), d()), Matrix::plain(*capacity, d()).t(),
                      Matrix::plain(x.rows(), *capacity));
    unit_.resize(static_cast<size_t>(x.size()));
    scores_.resize(static_cast<size_t>(remembers() ? 0 : x.rows() * *capacity));
    order_.resize(static_cast<size_t>(*capacity));
  }

  void take_direction(int64_t row, float* to) const {
    if (!std::isfinite(direction(x.data() + row * d(), to, d())))
      throw Error(Exit::nonfinite, "a feature of `x` is not finite");
  }

  void forward(const Step& step) override {
    std::fill_n(y.data(), y.size(), 0.0F);
    if (remembers()) return remember(step);
    for (int64_t row = 0; row < x.rows(); ++row) take_direction(row, unit_.data() + row * d());
    cosines_(unit_.data(), features.data(), scores_.data());
    for (int64_t row = 0; row < step.rows; ++row) vote(row);
  }

  void remember(const Step& step) {
    for (int64_t row = 0; row < step.rows; ++row) {
      const int64_t slot = (step.number * x.rows() + row) % *capacity;
      take_direction(row, features.data() + slot * d());
      known.data()[slot] = static_cast<float>(label.ints()[row]);
    }
  }

  void vote(int64_t row) {
    const float* score = scores_.data() + row * *capacity;
    std::iota(order_.begin(), order_.end(), 0);
    const auto nearer = [&](int64_t a, int64_t b) {
      const bool has_a = known.data()[a] >= 0, has_b = known.data()[b] >= 0;
      if (has_a != has_b) return has_a;
      return score[a] != score[b] ? score[a] > score[b] : a < b;
    };
    const int64_t n = std::min(*k, *capacity);
    std::nth_element(order_.begin(), order_.begin() + (n - 1), order_.end(), nearer);
    std::sort(order_.begin(), order_.begin() + n, nearer);
    for (int64_t i = 0; i < n; ++i) {
      const int64_t neighbour = order_[static_cast<size_t>(i)];
      const auto its = static_cast<int64_t>(known.data()[neighbour]);
      if (its >= 0 && its < *classes)
        y.data()[row * *classes + its] +=
            std::exp((score[neighbour] - score[order_[0]]) / static_cast<float>(*temperature));
    }
  }

  double flops() const override {
    return remembers() ? 0 : 2.0 * static_cast<double>(x.size() * *capacity);
  }
};

WEFT_NODE(Knn, "knn", "Remembers features in training; then the nearest ones vote for a class.",
          "{x: [4, 3], label: {shape: [4], below: 5}, classes: 5, capacity: 6, k: 2}")

}  // namespace
}  // namespace weft

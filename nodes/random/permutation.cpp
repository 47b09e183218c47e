#include <algorithm>
#include <numeric>

#include "nodes/random/draw.h"

namespace weft {
namespace {

class Order : public Draw {
 protected:
  int64_t n() const { return n_; }

  void infer() override {
    const Shape shape = wanted();
    if (shape.rank() < 2 || shape[1] == 0)
      throw Error((like.wired() ? "`like` is " : "`shape` is ") + shape.str() +
                  ", but must be [rows, n, ...]: it has the n positions to draw from");
    n_ = shape[1];
  }

  void prepare(Pass) override {
    order_.resize(static_cast<size_t>(n())), bits_.resize(static_cast<size_t>(2 * n()));
  }

  // Draws the first k of a random order of 0 … n - 1; behind them stand the others (Fisher &
  // Yates).
  int32_t* draw(Random random, int64_t k) {
    random.bits({bits_.data(), static_cast<size_t>(2 * k)});
    std::iota(order_.begin(), order_.end(), 0);
    for (int64_t i = 0; i < k; ++i)
      std::swap(order_[i], order_[i + below(n() - i, bits_[2 * i], bits_[2 * i + 1])]);
    return order_.data();
  }

 private:
  int64_t n_ = 0;
  std::vector<int32_t> order_;
  std::vector<uint32_t> bits_;
};

class Permutation final : public Order {
  Out y{
      this, "y",
      "0 to n - 1 in an order of its own for each row, [rows, n], where n is axis 1 of the shape.",
      DType::i32};

  void infer() override {
    Order::infer();
    y.shape({wanted().rows(), n()});
  }
  void forward(const Step& step) override {
    for (int64_t row = 0; row < y.rows(); ++row)
      std::copy_n(draw(random(step, row), n()), n(), y.ints() + row * n());
  }
};

// What masked autoencoders see, and what they do not: He et al. 2022, arXiv:2111.06377, section 3.
class Subset final : public Order {
  Out y{this, "y",
        "k of the positions 0 to n - 1, in ascending order, [rows, k]; n is axis 1 of the shape.",
        DType::i32};
  Out rest{this, "rest", "The others, in ascending order, [rows, n - k].", DType::i32};
  Param<int64_t> k{this, "k", "How many to draw; fewer than n.", required, within(1, 1 << 24)};

  std::vector<uint8_t> drawn_;  // [n]

  void infer() override {
    Order::infer();
    if (*k >= n())
      throw Error("`k` is " + std::to_string(*k) + ", but must be less than the " +
                  std::to_string(n()) + " positions");
    y.shape({wanted().rows(), *k});
    rest.shape({wanted().rows(), n() - *k});
  }
  void prepare(Pass pass) override {
    Order::prepare(pass);
    drawn_.resize(static_cast<size_t>(n()));
  }
  void forward(const Step& step) override {
    for (int64_t row = 0; row < y.rows(); ++row) {
      const int32_t* order = draw(random(step, row), *k);
      std::fill(drawn_.begin(), drawn_.end(), 0);
      for (int64_t i = 0; i < *k; ++i) drawn_[static_cast<size_t>(order[i])] = 1;
      int32_t *in = y.ints() + row * *k, *out = rest.ints() + row * rest.row_size();
      for (int32_t i = 0; i < n(); ++i) (drawn_[static_cast<size_t>(i)] ? *in++ : *out++) = i;
    }
  }
};

WEFT_NODE(Permutation, "permutation", "A random order of n positions for each row.",
          "{shape: [4, 7]}")
WEFT_NODE(Subset, "subset",
          "Some of n positions, drawn without repetition for each row, and the rest.",
          "{like: [4, 7, 3], k: 3}")

}  // namespace
}  // namespace weft

#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

// The memory of a loop. With it, a causal model that was trained on whole sequences is run token by
// token: keys and values of earlier tokens are there (the key-value cache of Shazeer 2019,
// arXiv:1911.02150, section 2.4).
class History final : public Node {
  In x{this, "x", "Of this turn, [batch, t, ...].", {.any = true}};
  Out y{this, "y",
        "In a loop of n turns what `x` was in each turn, in order, [batch, n t, ...], `fill` for "
        "turns to come; elsewhere `x`.",
        x};
  Out length{this, "length", "How many positions of `y` there are so far, [batch]."};
  Param<double> fill{this, "fill", "What stands where turns are to come.", 0};

  void infer() override {
    const Shape& from = x.shape();
    if (from.rank() < 2) throw Error("`x` is " + from.str() + ", but must be [batch, t, ...]");
    if (x.dtype() == DType::i32 && !is_i32(*fill))
      throw Error("`x` has numbers of i32, but `fill` is " + std::to_string(*fill));
    y.shape(from.with(1, from[1] * turns()));
    y.lasts();
    length.shape({x.rows()});
    x.forward_only(), y.forward_only(), length.forward_only();
  }

  void forward(const Step& step) override {
    const int64_t turn = step.turn % turns();
    if (turn == 0 && turns() > 1) fill_all();
    for (int64_t row = 0; row < x.rows(); ++row)
      std::copy_n(x.words() + row * x.row_size(), x.row_size(),
                  y.words() + row * y.row_size() + turn * x.row_size());
    std::fill_n(length.data(), length.size(), static_cast<float>((turn + 1) * x.shape()[1]));
  }
  void fill_all() const {
    if (x.dtype() == DType::i32)
      std::fill_n(y.ints(), y.size(), static_cast<int32_t>(*fill));
    else
      std::fill_n(y.data(), y.size(), static_cast<float>(*fill));
  }
  void backward(const Step& step) override {  // within the turn: no gradient passes a loop
    const int64_t turn = step.turn % turns();
    for (int64_t row = 0; x.wants_grad() && row < x.rows(); ++row)
      std::copy_n(y.grad() + row * y.row_size() + turn * x.row_size(), x.row_size(),
                  x.grad() + row * x.row_size());
  }
};

WEFT_NODE(History, "history", "What a value was in all turns of a loop so far.", "{x: [4, 3, 2]}")

}  // namespace
}  // namespace weft

#include <algorithm>

#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Gather final : public Node {
  In x{this,
       "x",
       "[batch, t, ...], or a table that all samples share, [1, t, ...].",
       {.any = true, .shared = true}};
  In places{this,
            "places",
            "Which of a sample's t to take, [batch, m]; -1 is nothing, zeros.",
            {.dtype = DType::i32, .grad = false}};
  Out y{this, "y", "[batch, m, ...]", x};

  int64_t t() const { return x.shape()[1]; }
  int64_t width() const { return x.row_size() / t(); }

  Twice twice() const override { return Twice::linear; }
  void infer() override {
    const Shape &from = x.shape(), &which = places.shape();
    if (from.rank() < 2 || t() == 0 || which.rank() != 2 ||
        (which.rows() != from.rows() && from.rows() != 1))
      throw Error("`x` is " + from.str() + " and `places` is " + which.str() +
                  ", but must be [batch, t, ...] and [batch, m]");
    y.shape(from.with(0, which[0]).with(1, which[1]));
    x.forward_only(), y.forward_only();
  }

  // The offset in x of the row that goes to row i of y.
  int64_t source(int64_t i) const {
    const int64_t row = x.rows() == 1 ? 0 : i / places.row_size();
    return (row * t() + places.ints()[i]) * width();
  }

  bool is_place(int32_t at) const { return at >= 0 && at < t(); }

  void forward(const Step& step) override {
    const int64_t samples = (step.rows - first_row()) * places.row_size();
    for (int64_t i = 0; i < places.size(); ++i) {
      const int32_t at = places.ints()[i];
      if (!is_place(at) && at != -1 && i < samples)
        throw Error(Exit::data, "`places` holds " + std::to_string(at) + ", but `x` has " +
                                    std::to_string(t()) + " positions");
      float* to = y.words() + i * width();
      if (!is_place(at))
        std::fill_n(to, width(), 0.0F);
      else
        std::copy_n(x.words() + source(i), width(), to);
    }
  }

  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    std::fill_n(x.grad(), x.size(), 0.0F);
    for (int64_t i = 0; i < places.size(); ++i)
      if (is_place(places.ints()[i]))
        add_scaled(y.grad() + i * width(), 1, x.grad() + source(i), width());
  }
};

WEFT_NODE(Gather, "gather", "Some positions of each sample, in an order of its own.",
          "{x: [4, 5, 3], places: {shape: [4, 7], below: 5}}")

}  // namespace
}  // namespace weft

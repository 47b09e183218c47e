#include <algorithm>

#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Scatter final : public Node {
  In x{this, "x", "[batch, m, ...]", {.any = true}};
  In places{this,
            "places",
            "Where each of a sample's m goes, [batch, m]; -1 is nowhere. What goes to one place is "
            "summed.",
            {.dtype = DType::i32, .grad = false}};
  Out y{this, "y", "[batch, count, ...]; zeros where nothing goes.", x};
  Param<int64_t> count{this, "count", "Places of each sample.", required, at_least(1)};

  int64_t width() const { return y.row_size() / *count; }

  Twice twice() const override { return Twice::linear; }
  void infer() override {
    const Shape &from = x.shape(), &which = places.shape();
    if (from.rank() < 2 || which != Shape({from[0], from[1]}))
      throw Error("`x` is " + from.str() + " and `places` is " + which.str() +
                  ", but must be [batch, m, ...] and [batch, m]");
    y.shape(from.with(1, *count));
    x.forward_only(), y.forward_only();
  }

  // The offset in y of where row i of x goes.
  int64_t target(int64_t i) const {
    return (i / places.row_size() * *count + places.ints()[i]) * width();
  }

  bool is_place(int32_t at) const { return at >= 0 && at < *count; }

  void forward(const Step& step) override {
    const int64_t samples = (step.rows - first_row()) * places.row_size();
    std::fill_n(y.words(), y.size(), 0.0F);
    for (int64_t i = 0; i < places.size(); ++i) {
      const int32_t at = places.ints()[i];
      if (!is_place(at) && at != -1 && i < samples)
        throw Error(Exit::data, "`places` holds " + std::to_string(at) + ", but `count` is " +
                                    std::to_string(*count));
      if (is_place(at)) add_row(i);
    }
  }
  void add_row(int64_t i) const {
    if (x.dtype() == DType::f32)
      return add_scaled(x.data() + i * width(), 1, y.data() + target(i), width());
    for (int64_t j = 0; j < width(); ++j) {  // beyond i32 it goes round
      int32_t& to = y.ints()[target(i) + j];
      to = static_cast<int32_t>(static_cast<uint32_t>(to) +
                                static_cast<uint32_t>(x.ints()[i * width() + j]));
    }
  }

  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    for (int64_t i = 0; i < places.size(); ++i) {
      float* const to = x.grad() + i * width();
      if (!is_place(places.ints()[i]))
        std::fill_n(to, width(), 0.0F);
      else
        std::copy_n(y.grad() + target(i), width(), to);
    }
  }
};

WEFT_NODE(Scatter, "scatter", "Puts positions of each sample where they belong: undoes `gather`.",
          "{x: [4, 7, 3], places: {shape: [4, 7], below: 9}, count: 9}")

}  // namespace
}  // namespace weft

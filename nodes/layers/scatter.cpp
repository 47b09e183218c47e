#include <algorithm>

#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Scatter final : public Node {
  In x{this, "x", "[batch, m, ...]"};
  In places{this,
            "places",
            "Where each of a sample's m goes, [batch, m]; -1 is nowhere. What goes to one place is "
            "summed.",
            {.dtype = DType::i32, .grad = false}};
  Out y{this, "y", "[batch, count, ...]; zeros where nothing goes."};
  Param<int64_t> count{this, "count", "Places of each sample.", required, at_least(1)};

  int64_t width() const { return y.row_size() / *count; }

  Twice twice() const override { return Twice::linear; }
  void infer() override {
    const Shape &from = x.shape(), &which = places.shape();
    if (from.rank() < 2 || which != Shape({from[0], from[1]}))
      throw Error("`x` is " + from.str() + " and `places` is " + which.str() +
                  ", but must be [batch, m, ...] and [batch, m]");
    std::vector<int64_t> dims(from.dims().begin(), from.dims().end());
    dims[1] = *count;
    y.shape(Shape(dims));
    x.forward_only(), y.forward_only();
  }

  // The offset in y of where row i of x goes.
  int64_t target(int64_t i) const {
    return (i / places.row_size() * *count + places.ints()[i]) * width();
  }

  void forward(const Step&) override {
    std::fill_n(y.data(), y.size(), 0.0F);
    for (int64_t i = 0; i < places.size(); ++i) {
      const int32_t at = places.ints()[i];
      if (at >= *count || at < -1)
        throw Error(Exit::data, "`places` holds " + std::to_string(at) + ", but `count` is " +
                                    std::to_string(*count));
      if (at >= 0) add_scaled(x.data() + i * width(), 1, y.data() + target(i), width());
    }
  }

  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    for (int64_t i = 0; i < places.size(); ++i) {
      float* const to = x.grad() + i * width();
      if (places.ints()[i] < 0)
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

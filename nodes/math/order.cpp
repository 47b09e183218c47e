#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "framework/node/parallel.h"
#include "framework/node/plugin.h"
#include "nodes/math/axes.h"

namespace weft {
namespace {

constexpr const char* about_axis =
    "Along which axis: 1 is the first behind the batch, -1 the last; 0 orders each number of a row "
    "over the samples of the batch, padding last.";

// The numbers of x at one place of all other axes: `outer` of those before, `inner` of those
// behind.
struct Line {
  int64_t outer, inner, stride;
  // Where number i lies in a value with `extent` places on the axis.
  int64_t at(int64_t i, int64_t extent) const { return (outer * extent + i) * stride + inner; }
};

// The base of nodes that order numbers along an axis. NaN counts as the greatest.
class Ordering : public Node {
 protected:
  In x;
  Param<int64_t> axis;

  explicit Ordering(const char* axis_doc, PortTraits of_x = {})
      : x(this, "x", "[batch, ...]", of_x),
        axis(this, "axis", axis_doc, -1, within(-1, Shape::max_rank - 1)) {}

  bool whole_batch() const override { return *axis == 0; }
  size_t along() const { return along_; }
  int64_t n() const { return x.shape()[along_]; }

  void infer() override {
    if (x.shape().rank() == 0) throw Error("`x` is one number, [], but must be [batch, ...]");
    along_ = *axis == 0 ? 0 : chosen_axes(x.shape(), {*axis}).front();
  }
  void prepare(Pass pass) override {
    stride_ = 1;
    for (size_t a = along_ + 1; a < x.shape().rank(); ++a) stride_ *= x.shape()[a];
    lines_ = n() == 0 ? 0 : x.size() / n();
    if (pass != Pass::forward) return;
    orders_.resize(static_cast<size_t>((lines_ + block() - 1) / block()));
    for (Order& own : orders_)
      own.numbers.resize(static_cast<size_t>(n())), own.places.resize(static_cast<size_t>(n()));
  }

  // Calls f(line, the places of its numbers in order) for each line; the first `k` stand right.
  template <class F>
  void each_order(const Step& step, int64_t k, bool descending, F f) {
    const int64_t samples = *axis == 0 ? std::min(step.rows, n()) : n();
    const auto put = [&](int64_t begin, int64_t end) {
      Order& own = orders_[static_cast<size_t>(begin / block())];
      for (int64_t i = begin; i < end; ++i) {
        put_in_order(line(i), samples, std::min(k, samples), descending, own);
        f(line(i), own.places.data());
      }
    };
    in_blocks(lines_, block(), std::ref(put));
  }
  template <class F>
  void each_line(F f) const {
    for (int64_t i = 0; i < lines_; ++i) f(line(i));
  }

 private:
  struct Order {
    std::vector<float> numbers;
    std::vector<int32_t> places;
  };
  size_t along_ = 0;
  int64_t stride_ = 1, lines_ = 0;
  std::vector<Order> orders_;  // by block of lines

  int64_t block() const { return *axis == 0 ? 16 : std::max<int64_t>(lines_, 1); }
  Line line(int64_t i) const { return {i / stride_, i % stride_, stride_}; }

  void put_in_order(const Line& line, int64_t samples, int64_t k, bool descending, Order& own) {
    for (int64_t i = 0; i < n(); ++i) own.numbers[i] = x.data()[line.at(i, n())];
    std::iota(own.places.begin(), own.places.end(), 0);
    const float* const numbers = own.numbers.data();
    const auto less = [](float a, float b) { return a < b || (b != b && a == a); };
    const auto before = [&](int32_t i, int32_t j) {
      const float a = numbers[descending ? j : i], b = numbers[descending ? i : j];
      return less(a, b) || (!less(b, a) && i < j);
    };
    const auto first = own.places.begin();
    if (k == samples)
      std::sort(first, first + samples, before);
    else
      std::partial_sort(first, first + k, first + samples, before);
  }
};

// The base of nodes that give the first numbers of an order; their gradients go where they are
// from.
class Ordered : public Ordering {
 protected:
  Out y, places;

  Ordered(const char* axis_doc, const char* y_name, const char* y_doc, const char* places_doc)
      : Ordering(axis_doc),
        y(this, y_name, y_doc),
        places(this, "places", places_doc, DType::i32) {}

  virtual int64_t count() const { return n(); }  // of the numbers that are given
  virtual bool descends() const = 0;

  void infer() override {
    Ordering::infer();
    for (Out* own : {&y, &places}) own->shape(x.shape().with(along(), count()));
    x.forward_only(), y.forward_only();
  }
  void forward(const Step& step) override {
    const int64_t from = n(), k = count();
    each_order(step, k, descends(), [&](const Line& line, const int32_t* order) {
      for (int64_t i = 0; i < k; ++i) {
        places.ints()[line.at(i, k)] = order[i];
        y.data()[line.at(i, k)] = x.data()[line.at(order[i], from)];
      }
    });
  }
  void backward(const Step&) override {
    if (!x.wants_grad()) return;
    std::fill_n(x.grad(), x.size(), 0.0F);
    each_taken([&](int64_t from, int64_t to) { x.grad()[from] = y.grad()[to]; });
  }
  Twice twice() const override { return Twice::yes; }
  void backward_twice(const Step&) override {
    each_taken([&](int64_t from, int64_t to) { y.tangent()[to] = x.tangent()[from]; });
    if (x.wants_grad()) std::fill_n(x.grad(), x.size(), 0.0F);
  }

 private:
  // Calls f(place in x, place in y) for each number that is given.
  template <class F>
  void each_taken(F f) const {
    const int64_t from = n(), k = count();
    each_line([&](const Line& line) {
      for (int64_t i = 0; i < k; ++i) f(line.at(places.ints()[line.at(i, k)], from), line.at(i, k));
    });
  }
};

class Sort final : public Ordered {
  Param<bool> descending{this, "descending", "The greatest first.", false};

  bool descends() const override { return *descending; }

 public:
  Sort()
      : Ordered(about_axis, "y", "Shaped as `x`: its numbers in order, NaN as the greatest.",
                "The position on the axis that each was at, shaped as `x`; equals keep theirs.") {}
};

// With the mask, gates of a mixture of experts: Shazeer et al. 2017, arXiv:1701.06538, eq. 5.
class TopK final : public Ordered {
  Out mask{this, "mask", "Shaped as `x`: 1 for what is chosen, 0 elsewhere."};
  Param<int64_t> k{this, "k", "How many to choose.", required, at_least(1)};

  int64_t count() const override { return *k; }
  bool descends() const override { return true; }

  void infer() override {
    if (*axis == 0) throw Error("`axis` is 0, the batch, but must be 1 or more, or -1");
    Ordering::infer();
    if (*k > n())
      throw Error("`k` is " + std::to_string(*k) + ", but axis " + std::to_string(along()) +
                  " of `x`, " + x.shape().str() + ", has " + std::to_string(n()) + " positions");
    Ordered::infer();
    mask.shape(x.shape());
    mask.forward_only();
  }
  void forward(const Step& step) override {
    Ordered::forward(step);
    std::fill_n(mask.data(), mask.size(), 0.0F);
    each_line([&](const Line& line) {
      for (int64_t i = 0; i < *k; ++i) mask.data()[line.at(places.ints()[line.at(i, *k)], n())] = 1;
    });
  }
  void backward_twice(const Step& step) override {
    Ordered::backward_twice(step);
    std::fill_n(mask.tangent(), mask.size(), 0.0F);
  }

 public:
  TopK()
      : Ordered("Along which axis: 1 is the first behind the batch, -1 the last.", "values",
                "The k greatest along the axis, the greatest first: shaped as `x`, with k "
                "positions on the axis.",
                "Their positions on the axis, shaped as `values`; the first of equals.") {}
};

class Rank final : public Ordering {
  Out y{this, "y",
        "Shaped as `x`: how many numbers stand before each, 0 for the smallest; of equals the "
        "first is before.",
        DType::i32};
  Param<bool> descending{this, "descending", "0 for the greatest.", false};

  void infer() override {
    Ordering::infer();
    y.shape(x.shape());
  }
  void forward(const Step& step) override {
    const int64_t n = this->n();
    each_order(step, n, *descending, [&](const Line& line, const int32_t* order) {
      for (int64_t i = 0; i < n; ++i) y.ints()[line.at(order[i], n)] = static_cast<int32_t>(i);
    });
  }

 public:
  Rank() : Ordering(about_axis, {.grad = false}) {}
};

WEFT_NODE(Sort, "sort", "Numbers in order along an axis, or over the samples of a batch.",
          "{x: [4, 5, 3], axis: 1, descending: true}")
WEFT_NODE(TopK, "top_k", "The greatest numbers along an axis, where they are, and a mask of them.",
          "{x: [4, 7, 3], k: 2, axis: 1}")
WEFT_NODE(Rank, "rank", "The rank of each number along an axis, or among the samples of a batch.",
          "{x: [5, 3, 2], axis: 0}")

}  // namespace
}  // namespace weft

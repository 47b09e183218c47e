#include <algorithm>
#include <array>
#include <span>

#include "framework/node/simd.h"
#include "nodes/random/draw.h"

namespace weft {
namespace {

WEFT_SIMD void stretch(float* __restrict y, float least, float range, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = least + range * y[i];
}

WEFT_SIMD void is_below(float* __restrict y, float bound, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = y[i] < bound ? 1.0F : 0.0F;
}

WEFT_SIMD void is_below(float* __restrict y, const float* __restrict bound, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = y[i] < bound[i] ? 1.0F : 0.0F;
}

WEFT_SIMD void integers(const uint32_t* __restrict bits, uint64_t bound, int32_t* __restrict y,
                        int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = below(bound, bits[2 * i], bits[2 * i + 1]);
}

// y = -ln(-ln y), for y in [0, 1); 0 counts as the least number above it that is drawn.
WEFT_SIMD void gumbel(float* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const float u = y[i] > 0x1p-24F ? y[i] : 0x1p-24F;
    y[i] = -simd::log(-simd::log(u));
  }
}

class Noise : public Draw {
 protected:
  Noise(const char* doc, DType dtype = DType::f32) : y(this, "y", doc, dtype) {}
  Out y;
  Param<std::vector<double>> outside_training{
      this, "outside_training",
      "The number that is everywhere outside training and in frozen modules, such as 1 of a mask; "
      "none: numbers are drawn there too.",
      std::vector<double>{}};

  virtual void draw(Random random, int64_t row) = 0;
  std::span<float> floats(int64_t row) const {
    return {y.data() + row * y.row_size(), static_cast<size_t>(y.row_size())};
  }

  virtual Shape shape_of_y() const { return wanted(); }

  void infer() override {
    if (outside_training->size() > 1)
      throw Error("`outside_training` has " + std::to_string(outside_training->size()) +
                  " numbers, but must be one");
    y.shape(shape_of_y());
  }
  void forward(const Step& step) override {
    if (!outside_training->empty() && (!training() || frozen()))
      return rest(outside_training->front());
    for (int64_t row = 0; row < y.rows(); ++row) draw(random(step, row), row);
  }
  virtual void rest(double number) { std::fill_n(y.data(), y.size(), static_cast<float>(number)); }
};

class Uniform final : public Noise {
 public:
  Uniform() : Noise("Independent numbers between `least` and `most`.") {}

 private:
  Param<double> least{this, "least", "The lower bound.", 0};
  Param<double> most{this, "most", "The upper bound.", 1};

  void infer() override {
    if (*least > *most) throw Error("`least` is greater than `most`");
    Noise::infer();
  }
  void draw(Random random, int64_t row) override {
    random.uniform(floats(row));
    stretch(floats(row).data(), static_cast<float>(*least), static_cast<float>(*most - *least),
            y.row_size());
  }
};

class Normal final : public Noise {
 public:
  Normal() : Noise("Independent numbers of mean 0 and variance 1.") {}

 private:
  void draw(Random random, int64_t row) override { random.normal(floats(row)); }
};

// With the softmax, draws of classes that gradients pass: Jang et al. 2016, arXiv:1611.01144,
// eq. 1.
class Gumbel final : public Noise {
 public:
  Gumbel() : Noise("Independent numbers of the standard Gumbel distribution, -ln(-ln u).") {}

 private:
  void draw(Random random, int64_t row) override {
    random.uniform(floats(row));
    gumbel(floats(row).data(), y.row_size());
  }
};

class Integers final : public Noise {
 public:
  Integers() : Noise("Independent integers from 0 to `below` - 1, all alike.", DType::i32) {}

 private:
  Param<int64_t> bound{this, "below", "How many there are.", required,
                       within(1, (int64_t{1} << 31) - 1)};

  void infer() override {
    for (const double number : *outside_training)
      if (!is_i32(number))
        throw Error("`outside_training` is " + std::to_string(number) +
                    ", but must be a whole number of i32");
    Noise::infer();
  }
  void rest(double number) override {
    std::fill_n(y.ints(), y.size(), static_cast<int32_t>(number));
  }
  void draw(Random random, int64_t row) override {
    std::array<uint32_t, 256> bits;
    const int64_t n = y.row_size();
    for (int64_t i = 0; i < n; i += 128) {
      const int64_t some = std::min<int64_t>(128, n - i);
      random.bits({bits.data(), static_cast<size_t>(2 * some)});
      integers(bits.data(), static_cast<uint64_t>(*bound), y.ints() + row * n + i, some);
    }
  }
};

class Bernoulli final : public Noise {
 public:
  Bernoulli() : Noise("1 or 0, independently.") {}

 private:
  In probabilities{this,
                   "probabilities",
                   "Of each 1, [batch, ...]; they give the shape and stand in for `p`.",
                   {.grad = false, .optional = true}};
  Param<double> p{this, "p", "The probability of a 1.", 0.5, scheduled(within(0, 1))};

  Shape shape_of_y() const override {
    if (!probabilities.wired()) return wanted();
    if (like.wired() || !shape->empty())
      throw Error("`probabilities` give the shape: leave `shape` and `like` out");
    if (probabilities.shape().rank() < 1)
      throw Error("`probabilities` are one number, but must be [batch, ...]");
    return probabilities.shape();
  }
  void draw(Random random, int64_t row) override {
    const int64_t n = y.row_size();
    random.uniform(floats(row));
    if (probabilities.wired())
      is_below(floats(row).data(), probabilities.data() + row * n, n);
    else
      is_below(floats(row).data(), static_cast<float>(*p), n);
  }
};

WEFT_NODE(Uniform, "uniform", "Uniform noise.", "{shape: [4, 3, 5], least: -1, most: 2}")
WEFT_NODE(Normal, "normal", "Standard normal noise.",
          "{like: {shape: [4, 2], below: 3}, shape: [3, 5]}")
WEFT_NODE(Gumbel, "gumbel", "Gumbel noise: added to logits, the greatest is a draw of a class.",
          "{like: [4, 3, 5]}")
WEFT_NODE(Integers, "integers", "Random integers.", "{like: [4, 3, 5], below: 7}")
WEFT_NODE(Bernoulli, "bernoulli", "Coins: ones with a probability, zeros otherwise.",
          "{probabilities: [4, 3, 5], outside_training: 1}")

}  // namespace
}  // namespace weft

#include <algorithm>
#include <string>
#include <vector>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

// What outlives a step, by place: the replay buffer of an energy model (Du & Mordatch 2019,
// arXiv:1903.08689, section 3.2), the persistent chains of a Boltzmann machine (Tieleman 2008).
class Memory final : public Node {
  In at{this,
        "at",
        "A place for each sample, [batch], from 0 to size - 1.",
        {.dtype = DType::i32, .grad = false}};
  In x{
      this,
      "x",
      "What training puts there, [batch, *shape]; of equal places the last sample's stays. Without "
      "it nothing is put.",
      {.grad = false, .optional = true}};
  Out y{this, "y", "What was there before this step, [batch, *shape]."};
  Param<int64_t> size{this, "size", "How many places there are.", required, within(1, 1 << 24)};
  Param<std::vector<int64_t>> shape{this, "shape", "Of what is at a place; [] is one number.",
                                    std::vector<int64_t>{}, at_least(1)};
  Param<double> start{this, "start", "What is everywhere at first.", 0};
  Param<double> deviation{this, "deviation",
                          "Normal numbers around 0 are there instead, if above 0.", 0, at_least(0)};
  State held{this, "held", "[size, *shape]"};

  bool puts() const { return training() && !frozen() && x.wired(); }
  bool whole_batch() const override { return puts(); }
  float* place(int64_t row) const { return held.data() + at.ints()[row] * y.row_size(); }
  bool is_place(int64_t row) const { return at.ints()[row] >= 0 && at.ints()[row] < *size; }

  void infer() override {
    if (shape->size() >= Shape::max_rank) throw Error("`shape` has at most 7 axes");
    if (*start != 0 && *deviation != 0) throw Error("give either `start` or `deviation`");
    if (at.shape().rank() != 1)
      throw Error("`at` is " + at.shape().str() + ", but must be [batch]");
    held.shape(Shape(*shape).inserted(0, *size),
               *deviation > 0 ? Init::normal(*deviation) : Init::constant(*start));
    y.shape(held.shape().with_front(at.rows()));
    if (x.wired() && x.shape() != y.shape())
      throw Error("`x` is " + x.shape().str() + ", but must be " + y.shape().str() +
                  ", as `at` and `shape` say");
  }

  void forward(const Step& step) override {
    const int64_t samples = step.rows - first_row(), n = y.row_size();
    for (int64_t row = 0; row < y.rows(); ++row) {
      if (!is_place(row) && row < samples)
        throw Error(Exit::data, "`at` holds " + std::to_string(at.ints()[row]) +
                                    ", but there are " + std::to_string(*size) + " places");
      if (is_place(row))
        std::copy_n(place(row), n, y.data() + row * n);
      else
        std::fill_n(y.data() + row * n, n, 0.0F);
    }
    for (int64_t row = 0; puts() && row < std::min(samples, y.rows()); ++row)
      std::copy_n(x.data() + row * n, n, place(row));
  }
};

WEFT_NODE(Memory, "memory", "Values by place that outlive a step, read and written by place.",
          "{at: {shape: [4], below: 5}, x: [4, 3, 2], size: 5, shape: [3, 2], deviation: 1}",
          .follows_state = true)

}  // namespace
}  // namespace weft

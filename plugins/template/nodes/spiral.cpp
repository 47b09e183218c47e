#include <cmath>
#include <vector>

#include "framework/node/plugin.h"
#include "framework/node/source.h"
#include "framework/node/split.h"

namespace weft {
namespace {

class Spiral final : public Source {
  Param<int64_t> points{this, "points", "How many, of both splits.", 2000, within(1, 1 << 24)};
  Param<double> noise{this, "noise", "Its standard deviation.", 0.1, at_least(0)};
  SplitParams split{this};
  Out clean{this, "clean", "On the spiral, [batch, 2]."};
  Out noisy{this, "noisy", "Beside it, [batch, 2]."};
  Fit fit{this, noisy};

  std::vector<int64_t> chosen_;  // the points of the split
  float scale_ = 1;              // what makes the training points reach 1

  int64_t open() override {
    for (int64_t i = 0; i < *points; ++i)
      if (split.wants(std::to_string(i))) chosen_.push_back(i);
    clean.shape({*batch, 2});
    noisy.shape({*batch, 2});
    scale_ = std::stof(fit.known("scale", "the spiral", [&] {
      return std::to_string(chosen_.empty() ? 1 : 1 / along(chosen_.back() + 1));
    }));
    return static_cast<int64_t>(chosen_.size());
  }

  // Along the spiral, from 0 to 1.
  float along(int64_t point) const {
    return static_cast<float>(point) / static_cast<float>(*points);
  }

  void load(int64_t sample, const Row& row) const override {
    const int64_t point = chosen_[static_cast<size_t>(sample)];
    const float t = along(point), turn = 12 * t, radius = scale_ * t;
    float error[2];
    Random(Random::key(0, "spiral"), 0, static_cast<uint32_t>(point)).normal(error);
    for (int axis = 0; axis < 2; ++axis) {
      row[clean][axis] = radius * (axis == 0 ? std::cos(turn) : std::sin(turn));
      row[noisy][axis] = row[clean][axis] + static_cast<float>(*noise) * error[axis];
    }
  }
};

WEFT_NODE(Spiral, "spiral", "Points on a spiral, and the same with noise.",
          "{points: 20, batch: 6, split: all}")

}  // namespace
}  // namespace weft

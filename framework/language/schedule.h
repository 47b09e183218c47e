// A scalar that changes with the step: `lr: {schedule: cosine, from: 1e-3, to: 0, warmup: 100}`.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/language/yaml.h"
#include "framework/node/param.h"

namespace weft {

struct Schedule {
  // In the order of the grammar.
  enum class Kind { constant, linear, cosine, exponential, piecewise } kind = Kind::constant;
  double from = 0, to = 0;
  int64_t warmup = 0;  // steps in which the value rises from 0 to `from`
  int64_t over = 0;    // steps, counted after the warm-up, from `from` to `to`; then it stays
  std::vector<std::pair<int64_t, double>> points;  // piecewise: the value from each step on

  double at(int64_t step) const;
  // The param, which must accept all the values, knows their bounds from then on and has the first.
  void give_to(ParamBase& param) const;

  // A schedule of a param, given to it. `total` is the number of steps of the training, what `over`
  // means when it is left out; 0 if that is not known. Throws Errors.
  static Schedule read(const Yaml& map, int64_t total, ParamBase& param);

 private:
  void read_points(const Yaml& points, Mistakes& mistakes);
};

}  // namespace weft

// A scalar that changes with the step: `lr: {schedule: cosine, from: 1e-3, to: 0, warmup: 100}`.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/language/yaml.h"
#include "framework/node/param.h"

namespace weft {

struct Schedule {
  // The order is that of the choices in keys.cpp.
  enum class Kind { constant, linear, cosine, exponential, piecewise } kind = Kind::constant;
  double from = 0, to = 0;
  int64_t warmup = 0;  // steps in which the value rises from 0 to `from`
  int64_t over = 0;  // steps after the warm-up in which it goes from `from` to `to`, to stay there
  std::vector<std::pair<int64_t, double>> points;  // piecewise: the value from each step on

  double at(int64_t step) const;
  // Gives the param the bounds of all values of the schedule, and the first value. Throws Error if
  // the param's check refuses one of them.
  void give_to(ParamBase& param) const;

  // Reads a schedule. `total` is what `over` is by default, less the warm-up; 0 if it is not known.
  // Throws Errors.
  static Schedule read(const Yaml& map, int64_t total);
  // Reads the schedule of a param and gives it to the param. `total` is the number of steps of the
  // training.
  static Schedule read(const Yaml& map, int64_t total, ParamBase& param);

 private:
  void read_points(const Yaml& points, Mistakes& mistakes);
};

}  // namespace weft

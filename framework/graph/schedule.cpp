#include "framework/graph/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "framework/graph/fields.h"

namespace weft {

double Schedule::at(int64_t step) const {
  if (kind == Kind::piecewise) {
    double value = points.empty() ? 0 : points.front().second;
    for (const auto& [begin, next] : points)
      if (begin <= step) value = next;
    return value;
  }
  if (step < warmup) return from * static_cast<double>(step + 1) / static_cast<double>(warmup + 1);
  const double t =
      over > 0 ? std::min(1.0, static_cast<double>(step - warmup) / static_cast<double>(over))
               : 1.0;
  switch (kind) {
    case Kind::linear: return from + (to - from) * t;
    case Kind::cosine: return to + (from - to) * 0.5 * (1 + std::cos(std::numbers::pi * t));
    case Kind::exponential: return from * std::pow(to / from, t);
    default: return from;
  }
}

Schedule Schedule::read(const Yaml& map, int64_t total, Mistakes& mistakes) {
  constexpr int64_t most = int64_t{1} << 40;
  static const std::vector<std::string> kinds{"constant", "linear", "cosine", "exponential",
                                              "piecewise"};
  Schedule schedule;
  Fields fields(map, "a schedule", mistakes);
  const std::string kind = fields.text("schedule", "");
  const auto found = std::find(kinds.begin(), kinds.end(), kind);
  if (found == kinds.end())
    mistakes.add(map.place(), "there is no schedule `" + kind + "`" + did_you_mean(kind, kinds) +
                                  "; there are constant, linear, cosine, exponential, piecewise");
  else
    schedule.kind = static_cast<Kind>(found - kinds.begin());
  if (schedule.kind == Kind::piecewise) {
    const Yaml* points = fields.need("points");
    for (const auto& [key, place, value] :
         points ? points->entries() : std::vector<Yaml::Entry>{}) {
      try {
        schedule.points.emplace_back(Yaml::scalar(key, place).to_int("a step"),
                                     value.to_number("the value from step " + key));
      } catch (const Error& error) {
        mistakes.add(error);
      }
    }
    std::sort(schedule.points.begin(), schedule.points.end());
  } else {
    if (fields.need("from")) schedule.from = fields.number("from", 0, -HUGE_VAL);
    if (schedule.kind != Kind::constant && fields.need("to"))
      schedule.to = fields.number("to", 0, -HUGE_VAL);
    schedule.warmup = fields.integer("warmup", 0, 0, most);
    schedule.over = fields.integer("over", std::max<int64_t>(1, total - schedule.warmup), 1, most);
    if (schedule.kind == Kind::exponential && !(schedule.from * schedule.to > 0))
      mistakes.add(map.place(),
                   "an exponential schedule needs `from` and `to` of one sign, not zero");
  }
  fields.done();
  return schedule;
}

}  // namespace weft

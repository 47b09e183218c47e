#include "framework/language/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "framework/language/fields.h"
#include "framework/language/keys.h"
#include "framework/node/did_you_mean.h"
#include "framework/node/host.h"

namespace weft {

namespace {
const std::vector<std::string>& kinds_of(const Keys& keys) {
  return keys.find("schedule")->value.check.choices;
}

size_t index_in(const std::vector<std::string>& words, const std::string& word) {
  return static_cast<size_t>(std::find(words.begin(), words.end(), word) - words.begin());
}

std::string kind_of(const Yaml& map) {
  const Yaml* kind = map.find("schedule");
  if (!kind || kind->is_null()) {  // perhaps misspelt; without it the other keys cannot be judged
    Mistakes mistakes;
    Fields(map, keys::schedule, "a schedule", mistakes).need("schedule");
    mistakes.check();
  }
  const std::string& word = kind->to_text("`schedule`");
  const auto& kinds = kinds_of(keys::schedule);
  if (index_in(kinds, word) == kinds.size())
    throw Error(kind->place(), "there is no schedule " + ticked(word) + did_you_mean(word, kinds) +
                                   "; there are " + listed(kinds));
  return word;
}

const Keys& keys_of(const std::string& kind) {
  const auto& all = keys::schedule.variations;
  return **std::find_if(all.begin(), all.end(), [&](const Keys* keys) {
    return index_in(kinds_of(*keys), kind) < kinds_of(*keys).size();
  });
}
}  // namespace

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

void Schedule::read_points(const Yaml& map, Mistakes& mistakes) {
  if (!map.is_map() || map.entries().empty())
    mistakes.add(map.place(), "`points` must be a map from steps to values: {0: 0.1, 500: 0.01}");
  for (const auto& [key, place, value] : map.entries()) {
    try {
      const int64_t step = Yaml::scalar(key, place).to_int("a step");
      if (step < 0) throw Error(place, "a step is " + key + ", but must be at least 0");
      points.emplace_back(step, value.to_number("the value from step " + key));
    } catch (const Error& error) {
      mistakes.add(error);
    }
  }
  std::sort(points.begin(), points.end());
}

// Between two of its turns a schedule only rises or only falls, so they are its bounds.
void Schedule::give_to(ParamBase& param) const {
  std::vector<double> turns{at(0)};
  for (const auto& [step, value] : points) turns.push_back(value);
  if (kind != Kind::piecewise) turns.insert(turns.end(), {from, at(warmup + over)});
  for (const double value : turns) Host::set(param, value);
  const auto [least, most] = std::minmax_element(turns.begin(), turns.end());
  Host::follow(param, *least, *most);
  Host::set(param, at(0));
}

Schedule Schedule::read(const Yaml& map, int64_t total, ParamBase& param) {
  if (!param.check.scheduled)
    throw Error(std::string("`") + param.name + "` cannot follow a schedule");
  const Schedule schedule = read(map, total);
  schedule.give_to(param);
  return schedule;
}

Schedule Schedule::read(const Yaml& map, int64_t total) {
  Mistakes mistakes;
  Schedule schedule;
  const std::string kind = kind_of(map);
  schedule.kind = static_cast<Kind>(index_in(kinds_of(keys::schedule), kind));
  Fields fields(map, keys_of(kind), "a schedule", mistakes);
  if (schedule.kind == Kind::piecewise) {
    if (const Yaml* points = fields.need("points")) schedule.read_points(*points, mistakes);
  } else {
    schedule.from = fields.number("from", 1);
    schedule.warmup = fields.integer("warmup");
  }
  if (schedule.kind != Kind::piecewise && schedule.kind != Kind::constant) {
    schedule.to = fields.number("to", 1);
    if (total == 0 && !map.find("over"))
      mistakes.add(map.place(),
                   "how long the training is, is not known here: the schedule needs the key "
                   "`over`");
    schedule.over = fields.take("over") ? fields.integer("over")
                                        : std::max<int64_t>(1, total - schedule.warmup);
    if (schedule.kind == Kind::exponential && !(schedule.from * schedule.to > 0))
      mistakes.add(map.place(),
                   "an exponential schedule needs `from` and `to` of one sign, not zero");
  }
  mistakes.check();
  return schedule;
}

}  // namespace weft

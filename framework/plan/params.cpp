#include "framework/plan/params.h"

#include "framework/node/host.h"

namespace weft {

namespace {
template <class T, class Convert>
std::vector<T> each(const Yaml& value, const std::string& what, Convert convert) {
  if (value.is_scalar()) return {convert(value, what)};  // one item needs no brackets
  if (!value.is_list()) throw Error(value.place(), what + " must be a list");
  std::vector<T> all;
  for (const Yaml& item : value.items()) all.push_back(convert(item, "an item of " + what));
  return all;
}

ParamValue param_value(const ParamBase& param, const Yaml& value) {
  const std::string what = "`" + std::string(param.name) + "`";
  const auto integer = [](const Yaml& v, const std::string& w) { return v.to_int(w); };
  const auto number = [](const Yaml& v, const std::string& w) { return v.to_number(w); };
  const auto text = [](const Yaml& v, const std::string& w) { return v.to_text(w); };
  switch (param.kind) {
    case ParamKind::boolean: return value.to_bool(what);
    case ParamKind::integer: return value.to_int(what);
    case ParamKind::number: return value.to_number(what);
    case ParamKind::text: return value.to_text(what);
    case ParamKind::integers: return each<int64_t>(value, what, integer);
    case ParamKind::numbers: return each<double>(value, what, number);
    case ParamKind::texts: return each<std::string>(value, what, text);
  }
  return false;
}
}  // namespace

void PlanParams::set(ParamBase& param, const Yaml& value, int64_t training_steps) {
  if (param.kind == ParamKind::number && value.is_map()) {
    schedules.emplace_back(param.name, Schedule::read(value, training_steps, param));
    return;
  }
  values.emplace_back(param.name, param_value(param, value));
  Host::set(param, values.back().second);
}

bool PlanParams::take(ParamBase& param, const PlanParams& from) {
  for (const auto& [name, value] : from.values)
    if (name == param.name && value.index() == param.value().index()) {
      Host::set(param, value);
      values.emplace_back(name, value);
      return true;
    }
  return false;
}

void PlanParams::give_to(Node& node) const {
  for (const auto& [name, value] : values) Host::set(*node.host().param(name), value);
  for (const auto& [name, schedule] : schedules) schedule.give_to(*node.host().param(name));
}

}  // namespace weft

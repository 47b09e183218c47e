#include "framework/run/means.h"

#include <algorithm>
#include <cmath>

#include "framework/node/error.h"

namespace weft {

using nlohmann::json;

namespace {
// A reported value as JSON, which has no infinite numbers.
json number(double value) {
  return std::isfinite(value) ? json(value) : json();
}

double number(const json& value) {
  return value.is_null() ? std::nan("") : value.get<double>();
}
}  // namespace

Means::Means(std::vector<std::string> names) {
  for (std::string& name : names) sums_.push_back({.name = std::move(name), .values = {}});
}

void Means::add(size_t i, const std::vector<double>& values) {
  Sum& sum = sums_[i];
  if (sum.values.size() != values.size()) sum.count = 0;  // the report had another size before
  if (sum.count++ == 0) sum.values.assign(values.size(), 0);
  for (size_t j = 0; j < values.size(); ++j) sum.values[j] += values[j];
}

json Means::take() {
  json means = json::object();
  for (Sum& sum : sums_) {
    if (sum.count == 0) continue;
    for (double& value : sum.values) value /= static_cast<double>(sum.count);
    means[sum.name] = sum.values.size() == 1 ? json(sum.values[0]) : json(sum.values);
    sum.count = 0;
  }
  return means;
}

json Means::state() const {
  json all = json::array();
  for (const Sum& sum : sums_) {
    json values = json::array();
    for (const double value : sum.values) values.push_back(number(value));
    all.push_back({{"name", sum.name}, {"sums", values}, {"count", sum.count}});
  }
  return all;
}

void Means::load(const json& state) try {
  std::vector<Sum> read;
  for (const json& entry : state.get_ref<const json::array_t&>()) {
    Sum sum{.name = entry.at("name"), .values = {}, .count = entry.at("count").get<int64_t>()};
    for (const json& value : entry.at("sums").get_ref<const json::array_t&>())
      sum.values.push_back(number(value));
    read.push_back(std::move(sum));
  }
  for (const Sum& sum : read)
    if (sum.count < 0) throw Error(Exit::checkpoint, "`means` has a count below 0");
  for (size_t i = 0; i < std::min(read.size(), sums_.size()); ++i)
    if (read[i].name == sums_[i].name) sums_[i] = std::move(read[i]);
} catch (const json::exception&) {
  throw Error(Exit::checkpoint, "`means` is not what weft writes");
}

}  // namespace weft

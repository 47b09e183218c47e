#include "framework/node/param.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "framework/node/did_you_mean.h"
#include "framework/node/host.h"

namespace weft {

namespace {
std::string text(double number) {
  if (number == std::floor(number) && std::abs(number) < 1e15)
    return std::to_string(static_cast<int64_t>(number));
  std::ostringstream out;
  out << number;
  return out.str();
}

void check_number(const ParamBase& param, double number) {
  const Check& check = param.check;
  const bool in_list = param.kind == ParamKind::integers || param.kind == ParamKind::numbers;
  const auto refuse = [&](const std::string& must) {
    throw Error(std::string(in_list ? "an item of `" : "`") + param.name + "` is " + text(number) +
                ", but must be " + must);
  };
  if (!std::isfinite(number)) refuse("a finite number");
  if (check.least && number < *check.least) refuse("at least " + text(*check.least));
  if (check.most && number > *check.most) refuse("at most " + text(*check.most));
  if (check.above && number <= *check.above) refuse("above " + text(*check.above));
  if (check.below && number >= *check.below) refuse("below " + text(*check.below));
}

void check_word(const ParamBase& param, const std::string& word) {
  const auto& choices = param.check.choices;
  if (choices.empty() || std::find(choices.begin(), choices.end(), word) != choices.end()) return;
  std::string list;
  for (const std::string& choice : choices) list += (list.empty() ? "" : ", ") + choice;
  throw Error("`" + std::string(param.name) + "` is `" + word + "`, but must be one of " + list +
              did_you_mean(word, choices));
}
}  // namespace

ParamBase::ParamBase(Node* owner, const char* name, const char* doc, ParamKind kind, bool required,
                     Check check)
    : name(name), doc(doc), kind(kind), required(required), check(std::move(check)) {
  owner->host().params.push_back(this);
}

ParamBase::~ParamBase() = default;

void Host::set(ParamBase& param, const ParamValue& value) {
  std::visit(
      [&](const auto& v) {
        using V = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<V, std::string>)
          check_word(param, v);
        else if constexpr (std::is_same_v<V, std::vector<std::string>>)
          for (const auto& word : v) check_word(param, word);
        else if constexpr (std::is_same_v<V, bool>)
          return;
        else if constexpr (std::is_arithmetic_v<V>)
          check_number(param, static_cast<double>(v));
        else
          for (const auto number : v) check_number(param, static_cast<double>(number));
      },
      value);
  param.store(value);
}

}  // namespace weft

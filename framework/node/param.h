// Params: what a user sets on a node in YAML. A member of the node's class is the declaration; from
// it come the YAML reader, the range checks, the JSON schema and the reference page.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "framework/node/error.h"
#include "framework/node/shape.h"

namespace weft {

class Node;
struct Host;

enum class ParamKind { boolean, integer, number, text, integers, numbers, texts };
using ParamValue = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>,
                                std::vector<double>, std::vector<std::string>>;  // by ParamKind

// The values a param accepts; for a list, the values of its elements.
struct Check {
  std::optional<double> least = {}, most = {};   // inclusive bounds
  std::optional<double> above = {}, below = {};  // exclusive bounds
  std::vector<std::string> choices = {};
  bool scheduled = false;  // a number that may follow a schedule: see Param
  // Of a source, which samples there are: one that stands beside `data` takes the value from there,
  // if `data` has a param of this name and the user gives none.
  bool chooses_samples = false;
};
inline Check at_least(double least) {
  return {.least = least};
}
inline Check within(double least, double most) {
  return {.least = least, .most = most};
}
inline Check above(double bound) {
  return {.above = bound};
}
inline Check one_of(std::vector<std::string> choices) {
  return {.choices = std::move(choices)};
}

inline Check scheduled(Check check = {}) {
  check.scheduled = true;
  return check;
}

inline Check chooses_samples(Check check = {}) {
  check.chooses_samples = true;
  return check;
}

struct Required {
  explicit Required() = default;  // so that {} is a value
};
inline constexpr Required required{};  // the user must give a value

// An enum becomes a param when a function `std::vector<std::string> names(E)` beside it lists the
// words for its values 0, 1, 2 …
template <class T>
concept NamedEnum = std::is_enum_v<T> && requires(T t) {
  names(t);
};

class WEFT_API ParamBase {
 public:
  ParamBase(Node* owner, const char* name, const char* doc, ParamKind kind, bool required,
            Check check);
  virtual ~ParamBase();
  ParamBase(const ParamBase&) = delete;

  virtual ParamValue value() const = 0;

  const char* const name;
  const char* const doc;
  const ParamKind kind;
  const bool required;
  const Check check;

 protected:
  std::optional<std::pair<double, double>> span_;  // least and most that a schedule will give it

 private:
  friend struct Host;
  virtual void store(const ParamValue& value) = 0;
};

template <class T>
constexpr ParamKind param_kind() {
  if constexpr (std::is_same_v<T, bool>)
    return ParamKind::boolean;
  else if constexpr (std::is_same_v<T, int64_t>)
    return ParamKind::integer;
  else if constexpr (std::is_same_v<T, double>)
    return ParamKind::number;
  else if constexpr (std::is_same_v<T, std::vector<int64_t>>)
    return ParamKind::integers;
  else if constexpr (std::is_same_v<T, std::vector<double>>)
    return ParamKind::numbers;
  else if constexpr (std::is_same_v<T, std::vector<std::string>>)
    return ParamKind::texts;
  else
    return ParamKind::text;
}

// T is bool, int64_t, double, std::string, a named enum, or a vector of int64_t, double or string.
// A double whose check is scheduled() may be given a schedule in YAML: the framework then sets its
// value before every step, so infer() and prepare() must build on least() and most(), not on it.
template <class T>
class Param final : public ParamBase {
 public:
  Param(Node* owner, const char* name, const char* doc, T value, Check check = {})
      : ParamBase(owner, name, doc, param_kind<T>(), false, with_names(std::move(check))),
        value_(std::move(value)) {}
  Param(Node* owner, const char* name, const char* doc, Required, Check check = {})
      : ParamBase(owner, name, doc, param_kind<T>(), true, with_names(std::move(check))) {}

  const T& operator*() const { return value_; }
  const T* operator->() const { return &value_; }
  T least() const requires std::is_same_v<T, double> { return span_ ? span_->first : value_; }
  T most() const requires std::is_same_v<T, double> { return span_ ? span_->second : value_; }

  ParamValue value() const override {
    if constexpr (NamedEnum<T>)
      return names(value_)[static_cast<size_t>(value_)];
    else
      return value_;
  }

 private:
  void store(const ParamValue& value) override {
    if constexpr (NamedEnum<T>) {
      const auto& word = std::get<std::string>(value);
      for (size_t i = 0; i < check.choices.size(); ++i)
        if (check.choices[i] == word) value_ = static_cast<T>(i);
    } else {
      value_ = std::get<T>(value);
    }
  }

  static Check with_names(Check check) {
    if constexpr (NamedEnum<T>) check.choices = names(T{});
    return check;
  }

  T value_{};
};

}  // namespace weft

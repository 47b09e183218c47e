#include "framework/language/arithmetic.h"

#include <cctype>
#include <cmath>
#include <numbers>
#include <sstream>
#include <string_view>

#include "framework/language/yaml_text.h"
#include "framework/node/did_you_mean.h"

namespace weft {

namespace {
std::string number_text(double number) {
  if (number == std::floor(number) && std::abs(number) < 1e15)
    return std::to_string(static_cast<int64_t>(number));
  std::ostringstream out;
  out.precision(17);
  out << number;
  return out.str();
}

struct Function {
  const char* name;
  double (*of)(double);
};
constexpr Function functions[] = {
    {"sqrt", std::sqrt}, {"exp", std::exp}, {"log", std::log}, {"log2", std::log2}};

// A parser that computes as it reads:
// sum := product (('+' | '-') product)*, product := factor (('*' | '/' | '//' | '%') factor)*,
// factor := '-' factor | one ('**' factor)?
class Arithmetic {
 public:
  Arithmetic(std::string_view text, const Vars& vars) : text_(text), vars_(vars) {}

  double value() {
    const double result = sum();
    if (!rest().empty()) fail("unexpected `" + shown(rest()) + "`");
    if (!std::isfinite(result)) fail("the result is not a finite number");
    return result;
  }

 private:
  std::string_view rest() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return text_.substr(at_);
  }
  bool eat(std::string_view token) {
    if (!rest().starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  [[noreturn]] void fail(const std::string& why) const {
    throw Error("cannot compute `" + shown(text_) + "`: " + why);
  }
  double sum() {
    double left = product();
    while (true) {
      if (eat("+"))
        left += product();
      else if (eat("-"))
        left -= product();
      else
        return left;
    }
  }
  double product() {
    double left = factor();
    while (true) {
      if (eat("*"))
        left *= factor();
      else if (eat("//"))
        left = std::floor(left / divisor());
      else if (eat("/"))
        left /= divisor();
      else if (eat("%"))
        left = std::fmod(left, divisor());
      else
        return left;
    }
  }
  double divisor() {
    const double value = factor();
    if (value == 0) fail("division by zero");
    return value;
  }
  double factor() {
    if (++depth_ > 64) fail("too deeply nested");
    const double value = eat("-") ? -factor() : power(unnested());
    --depth_;
    return value;
  }
  double power(double base) { return eat("**") ? std::pow(base, factor()) : base; }
  double inside() {
    const double inner = sum();
    if (!eat(")")) fail("a `)` is missing");
    return inner;
  }
  double unnested() {
    if (eat("(")) return inside();
    const std::string_view left = rest();
    size_t end = 0;
    if (!left.empty() && starts_variable(left[0])) {
      while (end < left.size() && in_variable(left[end])) ++end;
      at_ += end;
      const std::string name(left.substr(0, end));
      for (const auto& [known, of] : functions)
        if (name == known && eat("(")) return of(inside());
      if (name == "pi" && !vars_.contains(name)) return std::numbers::pi;
      return variable(name, vars_).to_number("`$" + name + "`");
    }
    while (end < left.size() &&
           (std::isdigit(static_cast<unsigned char>(left[end])) || left[end] == '.' ||
            (end && (left[end] == 'e' || (left[end - 1] == 'e' && left[end] == '-')))))
      ++end;
    if (end == 0)
      fail(left.empty() ? "something is missing at the end"
                        : "a number, a variable or `(` is expected before `" + shown(left) + "`");
    at_ += end;
    return Yaml::scalar(std::string(left.substr(0, end)), {})
        .to_number("`" + std::string(left.substr(0, end)) + "`");
  }

  std::string_view text_;
  const Vars& vars_;
  size_t at_ = 0;
  int depth_ = 0;
};
}  // namespace

bool starts_variable(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_';
}
bool in_variable(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

const Yaml& variable(const std::string& name, const Vars& vars) {
  if (const auto found = vars.find(name); found != vars.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [key, value] : vars) known.push_back(key);
  throw Error("there is no variable `$" + name + "`" + did_you_mean(name, known) + "; " +
              vars.declared);
}

std::string computed(const std::string& text, const Vars& vars) {
  return number_text(Arithmetic(text, vars).value());
}

}  // namespace weft

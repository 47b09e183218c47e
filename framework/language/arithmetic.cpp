#include "framework/language/arithmetic.h"

#include <cctype>
#include <cmath>
#include <numbers>
#include <sstream>
#include <vector>

#include "framework/language/formula.h"
#include "framework/node/did_you_mean.h"

namespace weft {

namespace {
// The number that a part of the formula `text` comes to.
double number_of(const Formula& part, const std::string& text, const Vars& vars) {
  if (part.kind == Formula::Kind::number) return part.number;
  if (part.kind == Formula::Kind::name) {
    if (part.text == "pi" && !vars.contains(part.text)) return std::numbers::pi;
    return variable(part.text, vars).to_number("`$" + part.text + "`");
  }
  std::vector<double> args;
  for (const Formula& arg : part.args) args.push_back(number_of(arg, text, vars));
  try {
    if (const auto result = calculate(part.text, args)) return *result;
  } catch (const Error& error) {
    refuse_formula(text, error.sentence());
  }
  (void)variable(part.text, vars);  // if there is none, it says so
  refuse_formula(text, "there is no function `" + part.text + "`");
}
}  // namespace

std::string number_text(double number) {
  if (number == std::floor(number) && std::abs(number) < 1e15)
    return std::to_string(static_cast<int64_t>(number));
  std::ostringstream out;
  out.precision(17);
  out << number;
  return out.str();
}

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
  const double result = number_of(parse_formula(text, About::numbers), text, vars);
  if (!std::isfinite(result)) refuse_formula(text, "the result is not a finite number");
  return number_text(result);
}

}  // namespace weft

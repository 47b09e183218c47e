// Formulas as trees: the arithmetic of `$(…)`, and that of nodes, `formula: a * exp(-b)`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {

struct Formula {
  enum class Kind { number, name, call } kind = Kind::number;
  double number = 0;
  std::string text;           // the name; or the function or operator that is called, "neg" for -x
  std::vector<Formula> args;  // of a call
  std::vector<std::pair<std::string, std::string>> params;  // of a call: `axes=[1, 2]`
};

// What a formula is about. Of values there are also names with dots, and functions of any name
// with several arguments and params.
enum class About { numbers, values };

// Throws Error: brackets that do not match or are deeper than 64, more than 1000 parts, what is no
// formula.
Formula parse_formula(const std::string& text, About about);

// The result of an operator, or of sqrt, exp, log, log2, of numbers; none if it is another. Throws
// Error on a division by zero.
std::optional<double> calculate(const std::string& call, const std::vector<double>& args);

// The error that `text` cannot be computed.
[[noreturn]] void refuse_formula(const std::string& text, const std::string& why);

}  // namespace weft

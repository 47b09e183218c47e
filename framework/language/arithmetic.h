// The arithmetic of `$(…)`: numbers, variables, + - * / // % ** ( ), sqrt, exp, log, log2, pi.
#pragma once

#include <string>

#include "framework/language/vars.h"

namespace weft {

// A variable's name is made of letters, digits and `_`; a digit cannot be its first character.
bool starts_variable(char c);
bool in_variable(char c);

// The value of a variable. Throws Error, with a similar name, if it does not exist.
const Yaml& variable(const std::string& name, const Vars& vars);

// A number as a pipeline file has it: it reads back as the same.
std::string number_text(double number);

// Computes what stands between the brackets of `$(…)` and returns the result as text. Throws Error:
// no such variable, not a number, division by zero, a result that is not finite, brackets that do
// not match or are deeper than 64.
std::string computed(const std::string& text, const Vars& vars);

}  // namespace weft

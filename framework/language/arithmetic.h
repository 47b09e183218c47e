// The arithmetic of `$(…)`: numbers, variables, + - * / // % ( ).
#pragma once

#include <string>

#include "framework/language/vars.h"

namespace weft {

// A variable's name: letters, digits and `_`, not first a digit.
bool starts_variable(char c);
bool in_variable(char c);

// Throws Error, with the near name, if there is none.
const Yaml& variable(const std::string& name, const Vars& vars);

// The text of the result. Throws Error: no such variable, no number, division by zero, a result
// that is not finite, brackets that do not match or are deeper than 64.
std::string computed(const std::string& text, const Vars& vars);

}  // namespace weft

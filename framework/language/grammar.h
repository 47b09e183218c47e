// The language: every map of a pipeline file, with its keys. grammar.cpp reads from top to bottom;
// docs/language.md is made of it.
#pragma once

#include "framework/language/keys.h"

namespace weft::grammar {

extern const Keys pipeline;
extern const Keys train, evaluate, generate;                        // sections
extern const Keys data, other_data, phase, optimizer, group, save;  // of sections
extern const Keys module, source, fragment, param;
extern const Keys node;
extern const Keys schedule;  // of a param that is a number

// Each of them, behind the first that holds it.
std::vector<const Keys*> all();

}  // namespace weft::grammar

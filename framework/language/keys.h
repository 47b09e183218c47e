// The language as tables: one for every map of a pipeline file, with its keys. keys.cpp can be
// read from top to bottom; docs/language.md is made from it.
#pragma once

#include "framework/language/key.h"
#include "framework/language/yaml.h"

namespace weft::keys {

extern const Keys pipeline;
extern const Keys train, evaluate, generate;                        // sections
extern const Keys data, other_data, phase, optimizer, group, save;  // parts of sections
extern const Keys module, source, fragment, param;
extern const Keys node, other_node, loop;
extern const Keys schedule;  // in place of a number, for a param that changes with the step

// The keys of which a node has one: they say what it is.
inline constexpr const char* kinds_of_node[] = {"node", "use", "formula", "gradient"};
bool has_kind(const Yaml& node);

// All tables, each after the first one that contains it.
std::vector<const Keys*> all();

}  // namespace weft::keys

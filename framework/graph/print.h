// A plan as text, as a DOT graph, as a picture.
#pragma once

#include <filesystem>
#include <string>

#include "framework/graph/plan.h"

namespace weft {

// Every node with the shapes of its outputs, parameters and FLOPs; then phases, lanes and memory.
std::string print(const Plan& plan);

// Graphviz DOT: modules as clusters, shapes on the edges.
std::string print_dot(const Plan& plan, const Pipeline& pipeline);

// Draws DOT as SVG with the `dot` program. Throws Error if there is none.
void write_svg(const std::string& dot, const std::filesystem::path& path);

}  // namespace weft

// Pictures of graphs, drawn by the program `dot` of Graphviz.
#pragma once

#include <filesystem>
#include <string>

namespace weft::cli {

// Draws a graph of the DOT language as SVG. Throws Error if `dot` is missing or fails; what stood
// at `path` is then as it was.
void write_svg(const std::string& dot, const std::filesystem::path& path);

}  // namespace weft::cli

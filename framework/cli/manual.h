// The manual page, weft(1), made from the tree of commands.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace weft::cli {

std::string manual(const CLI::App& app);  // in roff

}  // namespace weft::cli

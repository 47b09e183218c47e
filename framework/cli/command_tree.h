// The commands of `weft` with their options: what is parsed, and what help is made from.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <string>

#include "framework/node/error.h"

namespace weft::cli {

// The whole tree. A command that has run leaves its exit code in `exit`; `typed` is the command
// line. Both must outlive the tree.
std::unique_ptr<CLI::App> command_tree(Exit& exit, const std::string& typed);

}  // namespace weft::cli

// What the machine, or the container that this process is in, lets it use.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace weft {

// A limit of this process's control group (version 2), such as "cpu.max", or "". If the group
// itself has none, it is that of the nearest group above which has one. `root` is where proc and
// sys are.
std::string group_limit(const std::string& name, const std::filesystem::path& root = "/");

// The bytes of memory that this process may use: the machine's, or less if its control group
// (version 2 or 1) has a limit.
size_t memory_limit(const std::filesystem::path& root = "/");

}  // namespace weft

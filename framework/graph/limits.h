// What the machine, or the container that this process is in, lets it use.
#pragma once

#include <cstddef>
#include <string>

namespace weft {

// A limit of this process's control group, version 2, such as "cpu.max": that of the nearest group
// from its own upwards which has one, or "".
std::string group_limit(const std::string& name);

// Bytes of memory: the machine's, or less if the control group (version 2 or 1) has a limit.
size_t memory_limit();

}  // namespace weft

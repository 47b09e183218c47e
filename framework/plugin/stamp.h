// The stamp of a plugin's file, read without loading the file.
#pragma once

#include <filesystem>

#include "framework/node/plugin.h"

namespace weft {

// Returns the stamp of a plugin that this weft can load; its texts end within their arrays. Throws
// Error(Exit::plugin), one sentence that names the file: it does not exist, is no shared library of
// this machine, is truncated, is no weft plugin, or was built for another weft.
PluginStamp read_stamp(const std::filesystem::path& file);

}  // namespace weft

// Where this weft lies. A build tree is laid out as an installation is, and both can be moved.
#pragma once

#include <filesystem>

namespace weft {

// The folder that holds bin/weft, lib/weft and share/weft: found from the executable's place.
std::filesystem::path installation();

}  // namespace weft

// R's lazy-load databases (`.rdb`): the text of the character vectors in them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace weft::datasets {

// Every character vector, in the order of the file: a line for each of its strings, its bytes as
// they are, `NA` for what is missing; a blank line between vectors. Other values are passed over.
// Throws Error(data), calling the file `name`: truncated, corrupt, or of more text than `most`
// bytes.
std::string rdb_text(const std::filesystem::path& file, const std::string& name, int64_t most);

}  // namespace weft::datasets

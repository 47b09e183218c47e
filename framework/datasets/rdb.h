// The reader of R's lazy-load databases (`.rdb`), which takes the text of character vectors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace weft::datasets {

// The text of every character vector, in the order of the file: a line for each of its strings,
// with its bytes as they are or `NA` if it is missing, and a blank line between vectors. Other
// values are skipped. Throws Error(data), where the file is called `name`: truncated, corrupt, or
// of more text than `most` bytes.
std::string rdb_text(const std::filesystem::path& file, const std::string& name, int64_t most);

}  // namespace weft::datasets

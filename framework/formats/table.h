// Tables as text: CSV and TSV with a header (RFC 4180), JSON (a list of objects) and JSON lines.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/node/error.h"

namespace weft {

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // each as long as columns; what is missing is ""

  size_t column(const std::string& name) const;  // throws Error with the near name
};

bool is_table(const std::filesystem::path& file);  // by its extension

// Reads a table. A number or a bool of JSON becomes its text, a list its items joined by spaces,
// null "". Throws Error(data), with the place: missing, larger than 1 GiB, not a table, a row of
// another length, a quote that is never closed, JSON deeper than 64, a zero byte.
Table read_table(const std::filesystem::path& file);

}  // namespace weft

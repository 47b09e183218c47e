// The commands `weft data list`, `info`, `fetch` and `verify`.
#pragma once

#include <iosfwd>
#include <string>

namespace weft::cli::data {

void list(std::ostream& out);                           // a line for each data set
void info(const std::string& name, std::ostream& out);  // what the catalogue says of one
// Fetches a data set, unless it is here and whole, and says so. Throws as datasets::fetch.
void fetch(const std::string& name, std::ostream& out);
// Compares every file with its checksum. Throws Error(data) if the data set was not fetched,
// Error(differs) if a file is missing or differs.
void verify(const std::string& name, std::ostream& out);

}  // namespace weft::cli::data

// `weft data`: data sets from packages, checked byte for byte. Nothing else downloads.
#pragma once

#include <iosfwd>
#include <string>

namespace weft::data {

void list(std::ostream& out);                           // a line for each data set
void info(const std::string& name, std::ostream& out);  // what the catalogue knows of one

// Puts the files of a data set, its LICENSE and its ATTRIBUTION into its folder; says so if they
// are there already. Nothing changes unless every file is right. Throws Error(data) if the package
// cannot be had or differs, Error(resources) if a file cannot be written.
void fetch(const std::string& name, std::ostream& out);

// Compares every file with its checksum. Throws Error(data) if the data set was not fetched,
// Error(differs) if a file is missing or differs.
void verify(const std::string& name, std::ostream& out);

}  // namespace weft::data

// The files of a data set: taken out of a package, and checked.
#pragma once

#include <filesystem>
#include <string>

#include "framework/datasets/catalogue.h"

namespace weft::datasets {

std::string sha256(const std::filesystem::path& file);  // 64 hexadecimal digits
// The checksum of the files of a folder whose paths in it match `only`: see File::sha256.
std::string sha256_of_folder(const std::filesystem::path& folder, const std::string& only = "*");

// What is wrong with a file of `folder`: "is missing", "has 7 bytes, not 9"; "" if nothing is.
// `checksum: false` looks at the size alone.
std::string fault(const std::filesystem::path& folder, const File& file, bool checksum);

bool whole(const Dataset& set, bool checksum);  // is no file of it at fault?

// Writes the contents of `from` to `to`, extracted as the catalogue says; never more than
// file.bytes.
void extract(const std::filesystem::path& from, const std::filesystem::path& to, const File& file);

}  // namespace weft::datasets

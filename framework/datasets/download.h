// Packages as archives of files. The ordinary clients download and unpack them; none is installed.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "framework/datasets/catalogue.h"

namespace weft::datasets {

// How a client ended, and the last lines that it printed.
struct Outcome {
  int status = 0;
  std::string last_lines;
};
// Runs a client in a folder, without a shell.
Outcome run_client(const std::vector<std::string>& command, const std::filesystem::path& folder);

using Tell = std::function<void(const std::string& line)>;  // reports progress to the user

struct Package {
  std::string archive, sha256;     // the file that was downloaded
  std::filesystem::path contents;  // where it is unpacked
};

// Downloads the package of `set` into the empty folder `folder`, checks it and unpacks it. If the
// version in the catalogue is gone, it takes the one that is offered. Throws Error(data) with the
// client's last lines.
Package get_package(const Dataset& set, const std::filesystem::path& folder, const Tell& tell);

}  // namespace weft::datasets

// Packages as archives: downloaded and unpacked by the ordinary clients, installed nowhere.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "framework/datasets/catalogue.h"

namespace weft::datasets {

// How a client ended, and the last lines it printed. No shell takes part.
struct Outcome {
  int status = 0;
  std::string last_lines;
};
Outcome run_client(const std::vector<std::string>& command, const std::filesystem::path& folder);

using Tell = std::function<void(const std::string& line)>;  // what happens, to who waits

struct Package {
  std::string archive, sha256;     // the file that was downloaded
  std::filesystem::path contents;  // where it is unpacked
};

// Downloads the package of `set` into the empty folder `folder`, checks it and unpacks it. When the
// version of the catalogue is gone, takes the one that is offered. Throws
// Error(data) with the client's last lines.
Package get_package(const Dataset& set, const std::filesystem::path& folder, const Tell& tell);

}  // namespace weft::datasets

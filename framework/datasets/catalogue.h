// The data sets that can be fetched: those of datasets.yaml, built into the program, and of the
// file that $WEFT_DATASETS names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "framework/language/yaml.h"

namespace weft::datasets {

enum class Extract { copy, gunzip, rdb };  // how a file leaves its package; rdb: rdb.h

// One file of a data set, as it is kept; or a folder of files, whose name ends in `/`.
struct File {
  std::string name;  // its path in the data set's folder
  std::string from;  // its path in the package
  Extract extract = Extract::copy;
  int64_t bytes = 0;
  std::string sha256;      // 64 hexadecimal digits; of a folder: of its files' sums, as sha256sum
                           // lists them in the order of their paths
  int64_t count = 0;       // number of files of a folder
  std::string only = "*";  // a pattern: only files of a folder whose paths match belong to it

  bool is_folder() const { return name.ends_with('/'); }
};

enum class Manager { apt, npm };

struct Dataset {
  std::string name, about, source, licence, licence_file;
  Manager manager = Manager::apt;
  std::string package, version, sha256;  // sha256: of the archive
  std::vector<File> files;

  std::filesystem::path folder() const;  // below data_dir()
  int64_t bytes() const;                 // size of all files
};

std::vector<Dataset> read_catalogue(const Yaml& yaml);  // throws Errors with every mistake
std::vector<Dataset> catalogue();
Dataset find(const std::string& name);  // throws Error with the near name

std::string_view built_in_catalogue();  // datasets.yaml

}  // namespace weft::datasets

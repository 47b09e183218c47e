// Samples that are made of several files whose names start alike (with a stem), in a folder or in a
// tar archive, as in WebDataset (Aizman, Maltby & Breuel 2019, "High performance I/O for large
// scale deep learning", arXiv:2001.01858).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "framework/formats/file_part.h"
#include "framework/formats/table.h"

namespace weft {

// All files below a folder or in a tar archive, by their paths in it.
class SampleFiles {
 public:
  static bool holds_samples(const std::filesystem::path& where);  // is it a folder or a .tar file?

  // Throws Error(data): missing, empty, not a tar archive, or of more than 10 million files.
  explicit SampleFiles(const std::filesystem::path& where);

  const FilePart& part(const std::string& path) const;  // throws Error if there is none

  // A table with a row for each file that ends in `key`, in the order of their paths. The stem is
  // what stands before `key`. The first column is that file. A column named `.txt` or `_desc.ogg`
  // holds the path of the file whose name is the stem with that ending, or, for .txt and .cls, the
  // first line of that file; "" if there is none. For the stem "animals/birds/owl", `folder` is
  // "animals", `path` "animals/birds" and `name` "owl". Throws Error if no file ends in `key`, or
  // if no row has a column.
  Table table(const std::string& key, const std::vector<std::string>& columns) const;

 private:
  std::string cell(const std::string& stem, const std::string& column) const;
  std::vector<std::string> endings(const std::vector<std::string>& stems) const;

  std::string name_;
  std::map<std::string, FilePart> parts_;
};

}  // namespace weft

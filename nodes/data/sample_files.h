// Samples as files: those of one stem in a folder or in a tar archive, as WebDataset has them
// (Aizman, Maltby & Breuel 2019, "High performance I/O for large scale deep learning",
// arXiv:2001.01858).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "framework/formats/file_part.h"
#include "framework/formats/table.h"

namespace weft {

// All files below a folder, or of a tar archive, by their paths in it.
class SampleFiles {
 public:
  static bool holds_samples(const std::filesystem::path& where);  // by its kind: a folder or a .tar

  // Throws Error(data): missing, empty, not a tar archive, or of more than 10 million files.
  explicit SampleFiles(const std::filesystem::path& where);

  const FilePart& part(const std::string& path) const;  // throws Error if there is none

  // A row for each file that ends in `key`, in the order of their paths; what stands before is its
  // stem. The first column is that file; a column that is named `.txt` or `_desc.ogg` holds the
  // path of the file that is called like the stem and goes on so, or, of .txt and .cls, its first
  // line;
  // "" if there is none. Of the stem "animals/birds/owl", `folder` is "animals", `path`
  // "animals/birds" and `name` "owl". Throws Error if no file ends in `key`, or no row has a
  // column.
  Table table(const std::string& key, const std::vector<std::string>& columns) const;

 private:
  std::string cell(const std::string& stem, const std::string& column) const;
  std::vector<std::string> endings(const std::vector<std::string>& stems) const;

  std::string name_;
  std::map<std::string, FilePart> parts_;
};

}  // namespace weft

// The rows of a table that a source reads.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "framework/formats/table.h"
#include "nodes/data/sample_files.h"

namespace weft {

enum class Missing { refuse, leave_out };
inline std::vector<std::string> names(Missing) {
  return {"refuse", "leave_out"};
}

using Columns = std::vector<std::string>;

struct TableQuery {
  std::filesystem::path table, files;  // where it is, and where the files are that its cells name
  std::string key;                     // of samples: see SampleFiles
  std::vector<Columns> needs;          // a row must have text in one at least of each
  Columns others;                      // that are read
  Missing missing = Missing::refuse;   // what becomes of rows that lack a need
};

class TableRows {
 public:
  explicit TableRows(const TableQuery& query);

  const TableQuery query;
  size_t size() const { return table_.rows.size(); }
  size_t column(const std::string& name) const { return table_.column(name); }
  const std::string& cell(size_t row, size_t column) const { return table_.rows[row][column]; }
  // That the cells name, of all rows. Throws Error(data) if none of the first is there.
  std::vector<FilePart> files(const std::string& column) const;
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void check_complete();
  static void check_there(const std::vector<FilePart>& files, const std::string& column);
  std::string call(size_t row) const;  // "row 3 (owl.png)"

  std::optional<SampleFiles> samples_;
  Table table_;
  std::vector<std::string> notes_;
};

}  // namespace weft

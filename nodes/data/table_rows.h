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
  std::filesystem::path table, files;  // the table; the folder of the files that its cells name
  std::string key;                     // the ending that makes a file a sample: see SampleFiles
  std::vector<Columns> needs;          // a row must have text in at least one column of each
  Columns others;                      // further columns that are read
  Missing missing = Missing::refuse;   // what is done about rows that lack a need
};

class TableRows {
 public:
  // `given` is the table itself, if it is not a file.
  explicit TableRows(const TableQuery& query, std::optional<Table> given = {});

  const TableQuery query;
  size_t size() const { return table_.rows.size(); }
  size_t column(const std::string& name) const { return table_.column(name); }
  const std::string& cell(size_t row, size_t column) const { return table_.rows[row][column]; }
  // The files that the cells of a column name. Throws Error(data) if none of the first ones exists.
  std::vector<FilePart> files(const std::string& column) const;
  const std::string& name(size_t column) const { return table_.columns[column]; }
  std::string call(size_t row) const;  // "row 3 (owl.png)"
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void check_complete();
  static void check_there(const std::vector<FilePart>& files, const std::string& column);

  std::optional<SampleFiles> samples_;
  Table table_;
  std::vector<size_t> places_;  // by row: its number in the table, if rows were left out
  std::vector<std::string> notes_;
};

}  // namespace weft

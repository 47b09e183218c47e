#include "nodes/data/table_rows.h"

#include <algorithm>

namespace weft {

namespace {
// Columns as alternatives: "`name` or `title`".
std::string either(const Columns& columns) {
  std::string all;
  for (const std::string& column : columns) all += (all.empty() ? "`" : " or `") + column + "`";
  return all;
}
}  // namespace

TableRows::TableRows(const TableQuery& query, std::optional<Table> given) : query(query) {
  if (given) {
    table_ = std::move(*given);
  } else if (SampleFiles::holds_samples(query.table)) {
    Columns columns = query.others;
    for (const Columns& need : query.needs) columns.insert(columns.end(), need.begin(), need.end());
    samples_.emplace(query.table);
    table_ = samples_->table(query.key, columns);
  } else {
    table_ = read_table(query.table);
  }
  check_complete();
}

std::vector<FilePart> TableRows::files(const std::string& name) const {
  const size_t at = column(name);
  std::vector<FilePart> all;
  for (const auto& row : table_.rows)
    all.push_back(row[at].empty() ? FilePart()
                  : samples_      ? samples_->part(row[at])
                                  : FilePart(query.files / row[at]));
  if (!samples_) check_there(all, name);
  return all;
}

// Throws if none of some files exists. Files are opened only when a sample is first read, but a
// wrong folder should be reported earlier.
void TableRows::check_there(const std::vector<FilePart>& files, const std::string& column) {
  constexpr int some = 100;
  int missing = 0;
  const FilePart* first = nullptr;
  for (const FilePart& part : files) {
    std::error_code ignored;
    if (part.file.empty()) continue;
    if (std::filesystem::exists(part.file, ignored)) return;
    if (!first) first = &part;
    if (++missing == some) break;
  }
  if (first)
    throw Error(Exit::data, "there is no " + first->name() + ", nor any other of the first " +
                                std::to_string(missing) + " files that the column `" + column +
                                "` names: `folder` says where they are, from the table's own");
}

std::string TableRows::call(size_t row) const {
  const std::string& first = cell(row, 0);
  return "row " + std::to_string((places_.empty() ? row : places_[row]) + 1) +
         (first.empty() ? "" : " (" + first + ")");
}

void TableRows::check_complete() {
  std::vector<std::vector<size_t>> needs;
  for (const Columns& need : query.needs) {
    needs.emplace_back();
    for (const std::string& name : need) needs.back().push_back(column(name));
  }
  const auto lacks = [&](const std::vector<std::string>& row) {
    return std::find_if(needs.begin(), needs.end(), [&](const std::vector<size_t>& need) {
      return std::all_of(need.begin(), need.end(), [&](size_t at) { return row[at].empty(); });
    });
  };
  std::string first;
  size_t kept = 0;
  std::vector<size_t> places;
  for (size_t i = 0; i < size(); ++i) {
    const auto lacking = lacks(table_.rows[i]);
    if (lacking == needs.end()) {
      if (kept != i) table_.rows[kept] = std::move(table_.rows[i]);
      ++kept;
      places.push_back(i);
    } else if (first.empty()) {
      first =
          call(i) + " has no " + either(query.needs[static_cast<size_t>(lacking - needs.begin())]);
    }
  }
  if (kept == size()) return;
  const std::string what =
      std::to_string(size() - kept) + " of " + std::to_string(size()) + " rows";
  if (query.missing == Missing::refuse)
    throw Error(Exit::data, query.table.string() + ": " + first + "; " + what +
                                " lack what is asked for: `missing: leave_out` leaves them out");
  notes_ = {what + " lack something and are left out; the first, " + first};
  table_.rows.resize(kept);
  places_ = std::move(places);
}

}  // namespace weft

// The class of a table's row.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "framework/node/node.h"
#include "nodes/data/table_rows.h"

namespace weft {

struct TableLabel {
  Source* owner;
  Out label{owner, "label", "The class of each row, [batch]; -1 without `label`.", DType::i32};
  Param<std::string> column{owner, "label",
                            "The column whose different texts, in order, are the classes.", ""};
  std::vector<int32_t> classes{};  // of all rows

  Columns columns() const { return column->empty() ? Columns{} : Columns{*column}; }

  void open(const TableRows& rows) {
    label.shape({*owner->batch});
    classes.assign(rows.size(), -1);
    if (column->empty()) return;
    const size_t at = rows.column(*column);
    std::set<std::string> texts;
    for (size_t i = 0; i < rows.size(); ++i) texts.insert(rows.cell(i, at));
    for (size_t i = 0; i < rows.size(); ++i)
      classes[i] = static_cast<int32_t>(std::distance(texts.begin(), texts.find(rows.cell(i, at))));
  }

  void load(size_t from, int64_t row) { label.ints()[row] = classes[from]; }
};

}  // namespace weft

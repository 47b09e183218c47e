// The class of a table's rows, as an output.
#pragma once

#include "nodes/data/classes.h"
#include "nodes/data/table_rows.h"

namespace weft {

struct TableLabel {
  Source* owner;
  Out label{owner, "label", "The class of each row, [batch]; -1 without `label`.", DType::i32};
  Param<std::string> column{owner, "label",
                            "The column whose different texts, in order, are the classes.", ""};
  Classes classes{owner, label};

  Columns columns() const { return column->empty() ? Columns{} : Columns{*column}; }

  void open(const TableRows& rows, std::vector<size_t>& chosen) {
    label.shape({*owner->batch});
    if (column->empty() && !classes.choice.classes->empty())
      throw Error("`classes` needs a `label`");
    if (column->empty()) return;
    const size_t at = rows.column(*column);
    classes.open("`" + *column + "`", rows.size(), chosen,
                 [&](size_t row) -> const std::string& { return rows.cell(row, at); });
  }

  void load(size_t from, const Row& row) const {
    *row.ints(label) = column->empty() ? -1 : classes[from];
  }
};

}  // namespace weft

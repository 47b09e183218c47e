// The words of a table's row.
#pragma once

#include <string>
#include <vector>

#include "framework/node/node.h"
#include "nodes/data/shared.h"
#include "nodes/data/table_rows.h"
#include "nodes/data/words.h"

namespace weft {

struct TableWords {
  Source* owner;
  Out words{owner, "words",
            "The places of its words in the vocabulary, [batch, length]; -1 behind the last, 0 for "
            "a word that is not known.",
            DType::i32};
  Param<Columns> text{owner, "text", "The columns whose words are read, one after the other.",
                      Columns{}};
  Param<int64_t> vocabulary{owner, "vocabulary",
                            "How many words are known: the most frequent of the whole table.", 1024,
                            within(2, 1 << 24)};
  Param<int64_t> length{owner, "length", "Words of a row that are read.", 16, within(1, 1 << 16)};
  using Places = std::vector<std::vector<int32_t>>;
  std::shared_ptr<Places> places{};  // of the words of all rows

  const Columns& columns() const { return *text; }

  void open(const TableRows& rows) {
    words.shape({*owner->batch, text->empty() ? 0 : *length});
    if (text->empty()) return;
    std::vector<size_t> at;
    for (const std::string& name : *text) at.push_back(rows.column(name));
    const auto whole = [&](size_t row) {
      std::string all;
      for (const size_t column : at) all += rows.cell(row, column) + " ";
      return all;
    };
    places = shared<Places>(std::tuple(&rows, *text, *vocabulary), [&] {
      Vocabulary known;
      for (size_t i = 0; i < rows.size(); ++i) known.count(whole(i));
      known.keep(static_cast<size_t>(*vocabulary));
      auto all = std::make_shared<Places>();
      for (size_t i = 0; i < rows.size(); ++i) all->push_back(known.places(whole(i)));
      return all;
    });
  }

  void load(size_t from, int64_t row) {
    int32_t* out = words.ints() + row * words.row_size();
    for (int64_t i = 0; i < words.row_size(); ++i) {
      const auto& its = (*places)[from];
      out[i] = i < std::ssize(its) ? its[static_cast<size_t>(i)] : -1;
    }
  }
};

}  // namespace weft

// The words of a table's rows, as an output.
#pragma once

#include <string>
#include <vector>

#include "framework/node/source.h"
#include "nodes/data/table_rows.h"
#include "nodes/data/words.h"

namespace weft {

struct TableWords {
  Source* owner;
  Out words{owner, "words",
            "The ids of its words in the vocabulary, [batch, length]; -1 behind the last, 0 for "
            "a word that is not known.",
            DType::i32};
  Param<Columns> text{owner, "text", "The columns whose words are read, one after the other.",
                      Columns{}};
  Param<int64_t> vocabulary{
      owner, "vocabulary",
      "How many words are known, if they are learned here: the most frequent of the whole table.",
      1024, within(2, 1 << 24)};
  Param<int64_t> length{owner, "length", "Words of a row that are read.", 16, within(1, 1 << 16)};
  Fit fit{owner, words};

  std::vector<std::vector<int32_t>> ids{};  // by row: the ids of its words in the vocabulary

  const Columns& columns() const { return *text; }

  void open(const TableRows& rows) {
    words.shape({*owner->batch, text->empty() ? 0 : *length});
    if (text->empty()) return;
    std::vector<size_t> at;
    std::string which;
    for (const std::string& name : *text) {
      at.push_back(rows.column(name));
      which += (which.empty() ? "`" : ", `") + name + "`";
    }
    const auto whole = [&](size_t row) {
      std::string all;
      for (const size_t column : at) all += rows.cell(row, column) + " ";
      return all;
    };
    const std::string& known = fit.known("words", which, [&] {
      WordCount count;
      for (size_t i = 0; i < rows.size(); ++i) count.add(whole(i));
      return packed(count.most_frequent(static_cast<size_t>(*vocabulary) - 1));
    });
    const Vocabulary vocabulary(unpacked(known), 1);
    for (size_t i = 0; i < rows.size(); ++i) {
      std::vector<int32_t>& row = ids.emplace_back();
      for (const std::string& word : split_words(whole(i))) row.push_back(vocabulary.id(word, 0));
    }
  }

  // Tells how much of this table a vocabulary that was learned elsewhere does not know.
  std::vector<std::string> notes() const {
    int64_t words = 0, unknown = 0;
    for (const auto& row : ids) {
      words += std::ssize(row);
      unknown += std::count(row.begin(), row.end(), 0);
    }
    if (!fit.given() || unknown * 2 <= words) return {};
    return {std::to_string(unknown) + " of " + std::to_string(words) + " words are not among the " +
            fit.name() + " that were learned, and so are all alike"};
  }

  void load(size_t from, const Row& row) const {
    int32_t* out = row.ints(words);
    for (int64_t i = 0; i < words.row_size(); ++i) {
      const auto& its = ids[from];
      out[i] = i < std::ssize(its) ? its[static_cast<size_t>(i)] : -1;
    }
  }
};

}  // namespace weft

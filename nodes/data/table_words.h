// The words of a table's rows, as an output.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "framework/node/source.h"
#include "nodes/data/table_rows.h"
#include "nodes/data/words.h"
#include "nodes/text/documents.h"
#include "nodes/text/vocabulary.h"

namespace weft {

struct TableWords {
  Source* owner;
  Out words{owner, "words",
            "The ids of its words, or of pieces of `vocabulary`, [batch, length]; -1 behind the "
            "last, 0 for one that is not known.",
            DType::i32};
  Param<Columns> text{owner, "text", "The columns whose words are read, one after the other.",
                      Columns{}};
  Param<int64_t> most{
      owner, "words",
      "How many words are known, if they are learned here: the most frequent of the whole table.",
      1024, within(2, 1 << 24)};
  VocabularyParams vocabulary{
      owner,
      "The name of a vocabulary of pieces, which may be that of a `text`, and is kept as theirs "
      "are. Else the words of the columns are one of their own.",
      std::string()};
  Param<int64_t> length{owner, "length", "Words or pieces of a row that are read.", 16,
                        within(1, 1 << 16)};
  Fit fit{owner, words};

  std::vector<std::vector<int32_t>> ids{};  // by row: the ids of its words in the vocabulary

  const Columns& columns() const { return *text; }

  void open(const TableRows& rows) {
    words.shape({*owner->batch, text->empty() ? 0 : *length});
    if (text->empty()) return;
    const std::vector<std::string> texts = texts_of(rows);
    if (vocabulary.vocabulary->empty()) return open_words(texts);
    for (size_t i = 0; i < texts.size(); ++i) check_utf8(texts[i], rows.query.table, "row", i + 1);
    const auto pieces = vocabulary.open(fit, texts);
    for (const std::string& each : texts) ids.push_back(pieces->ids(each));
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

 private:
  std::vector<std::string> texts_of(const TableRows& rows) const {
    std::vector<std::string> texts(rows.size());
    for (const std::string& name : *text)
      for (size_t row = 0, column = rows.column(name); row < rows.size(); ++row)
        texts[row] += (texts[row].empty() ? "" : " ") + rows.cell(row, column);
    return texts;
  }

  void open_words(const std::vector<std::string>& texts) {
    const std::string& known = fit.known("words", quoted(*text), [&] {
      WordCount count;
      for (const std::string& each : texts) count.add(each);
      return packed(count.most_frequent(static_cast<size_t>(*most) - 1));
    });
    const Vocabulary its(unpacked(known), 1);
    for (const std::string& each : texts) {
      std::vector<int32_t>& row = ids.emplace_back();
      for (const std::string& word : split_words(each)) row.push_back(its.id(word, 0));
    }
  }
};

}  // namespace weft

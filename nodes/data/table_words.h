// The texts of a table's rows, as outputs.
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

// The words of some columns, one column after the other, as an output.
struct TableText {
  Source* owner;
  Out out;
  Param<Columns> columns;
  Fit fit{owner, out};
  std::vector<std::vector<int32_t>> ids = {};  // by row: the ids of its words in the vocabulary

  TableText(Source* owner, const char* port, const char* doc, const char* param, const char* about)
      : owner(owner), out(owner, port, doc, DType::i32), columns(owner, param, about, Columns{}) {}

  // A text for each row.
  std::vector<std::string> texts(const TableRows& rows) const {
    std::vector<std::string> texts(columns->empty() ? 0 : rows.size());
    for (const std::string& name : *columns)
      for (size_t row = 0, column = rows.column(name); row < rows.size(); ++row)
        texts[row] += (texts[row].empty() ? "" : " ") + rows.cell(row, column);
    return texts;
  }

  // Learns the words of these texts, the `most` frequent, if none are given.
  void open_words(const std::vector<std::string>& texts, int64_t most) {
    const std::string& known = fit.known("words", quoted(*columns), [&] {
      WordCount count;
      for (const std::string& each : texts) count.add(each);
      return packed(count.most_frequent(static_cast<size_t>(most) - 1));
    });
    const Vocabulary its(unpacked(known), 1);
    for (const std::string& each : texts) {
      std::vector<int32_t>& row = ids.emplace_back();
      for (const std::string& word : split_words(each)) row.push_back(its.id(word, 0));
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
    int32_t* to = row.ints(out);
    for (int64_t i = 0; i < out.row_size(); ++i) {
      const auto& its = ids[from];
      to[i] = i < std::ssize(its) ? its[static_cast<size_t>(i)] : -1;
    }
  }
};

struct TableWords {
  Source* owner;
  TableText words{owner, "words",
                  "The ids of its words, or of pieces of `vocabulary`, [batch, length]; -1 behind "
                  "the last, 0 for one that is not known.",
                  "text", "The columns whose words are read, one after the other."};
  TableText target{
      owner, "target",
      "The same of the second text, [batch, length]; of the same `vocabulary`, if there is one.",
      "target",
      "The columns of a second text of the row, such as what a model has to write for the first."};
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

  void open(const TableRows& rows) {
    std::vector<std::string> all;
    for (TableText* const text : {&words, &target}) {
      text->out.shape({*owner->batch, text->columns->empty() ? 0 : *length});
      const std::vector<std::string> texts = text->texts(rows);
      if (vocabulary.vocabulary->empty() && !texts.empty()) text->open_words(texts, *most);
      all.insert(all.end(), texts.begin(), texts.end());
    }
    if (vocabulary.vocabulary->empty() && *vocabulary.ends)
      throw Error("`ends` is of pieces: `vocabulary` must name theirs");
    if (!vocabulary.vocabulary->empty() && !all.empty()) open_pieces(rows, all);
  }

  std::vector<std::string> notes() const {
    std::vector<std::string> notes = words.notes();
    for (const std::string& note : target.notes()) notes.push_back(note);
    return notes;
  }

  void load(size_t from, const Row& row) const {
    words.load(from, row);
    target.load(from, row);
  }

 private:
  // Cuts all texts, those of `words` before those of `target`, into pieces.
  void open_pieces(const TableRows& rows, const std::vector<std::string>& all) {
    for (size_t i = 0; i < all.size(); ++i)
      check_utf8(all[i], rows.query.table, "row", i % rows.size() + 1);
    Columns columns = *words.columns;
    columns.insert(columns.end(), target.columns->begin(), target.columns->end());
    const std::string corpus = "of " + rows.query.table.string() + ", columns " + quoted(columns);
    size_t next = 0;
    for (TableText* const text : {&words, &target}) {
      if (text->columns->empty()) continue;
      const auto pieces = vocabulary.open(text->fit, all, corpus);
      for (size_t i = 0; i < rows.size(); ++i) {
        text->ids.push_back(pieces->ids(all[next++]));
        if (*vocabulary.ends) text->ids.back().push_back(Pieces::end);
      }
    }
  }
};

}  // namespace weft

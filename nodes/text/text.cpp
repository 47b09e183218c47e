#include <algorithm>

#include "framework/node/plugin.h"
#include "framework/node/source.h"
#include "framework/node/split.h"
#include "nodes/data/limit.h"
#include "nodes/data/words.h"
#include "nodes/text/documents.h"
#include "nodes/text/vocabulary.h"

namespace weft {
namespace {

enum class Cut { packed, documents };
std::vector<std::string> names(Cut) {
  return {"packed", "documents"};
}

class Text final : public Source {
  Out tokens{this, "tokens",
             "Ids of pieces, [batch, length]; -1 behind the end of a document. 0 is an "
             "unknown piece, 1 a start, 2 the end of a document, 3 `[MASK]`.",
             DType::i32};
  Param<std::string> file{
      this, "file", "A .txt file, a table, or a folder of them; here or below the data folder.",
      ""};
  Param<std::vector<std::string>> lines{this, "lines", "Documents, instead of a file.",
                                        std::vector<std::string>{}};
  Param<std::string> match{this, "match",
                           "A regular expression that the names of a folder's files have to match.",
                           "", chooses_samples()};
  Param<std::vector<std::string>> columns{this, "columns",
                                          "Of tables (.csv, .tsv, .json, .jsonl): those to read.",
                                          std::vector<std::string>{}};
  Param<Unit> unit{this, "unit", "What a document of a .txt file is.", Unit::paragraphs};
  Param<Whitespace> whitespace{
      this, "whitespace",
      "Join: each run of spaces and line ends is one space. Keep: they stay, in the text and in a "
      "vocabulary that is learned here, as verse and code want it; a blank line still ends a "
      "paragraph.",
      Whitespace::join};
  VocabularyParams vocabulary{
      this,
      "The name of the vocabulary. A run keeps it with its checkpoints, and training also in the "
      "folder `vocabularies` beside the data, for other pipelines.",
      required};
  Param<int64_t> length{this, "length", "Tokens of a sample.", required, within(1, 1 << 20)};
  Param<Cut> cut{this, "samples",
                 "Packed: documents one after the other, cut every `length` tokens. Documents: the "
                 "first tokens of each.",
                 Cut::packed};
  SplitParams side{this};
  Limit limit{this};

  Fit fit_{this, tokens};

  // The documents on the chosen side of the split, as ids.
  std::vector<std::vector<int32_t>> documents_;
  std::vector<int32_t> packed_;  // documents one after the other, each with an end

  int64_t open() override {
    check_origin(*file, *lines);
    const std::vector<std::string> all =
        lines->empty() ? read_documents({find_data(*file), *match, *columns, *unit, *whitespace})
                       : *lines;
    choose(all, *vocabulary.open(fit_, all, corpus(), *whitespace));
    tokens.shape({*batch, *length});
    return limit.of(*cut == Cut::documents ? std::ssize(documents_)
                                           : std::ssize(packed_) / *length);
  }

  std::string corpus() const {
    if (file->empty()) return "of `lines`";
    return "of " + *file + (columns->empty() ? "" : ", columns " + quoted(*columns));
  }

  void choose(const std::vector<std::string>& all, const Pieces& pieces) {
    for (const std::string& document : all) {
      if (!side.wants(document)) continue;
      std::vector<int32_t> ids = pieces.ids(document);
      if (*cut == Cut::packed || *vocabulary.ends) ids.push_back(Pieces::end);
      if (*cut == Cut::packed)
        packed_.insert(packed_.end(), ids.begin(), ids.end());
      else
        documents_.push_back(std::move(ids));
    }
  }

  void load(int64_t sample, const Row& row) const override {
    int32_t* to = row.ints(tokens);
    if (*cut == Cut::packed) {
      std::copy_n(packed_.begin() + sample * *length, *length, to);
      return;
    }
    const auto& from = documents_[static_cast<size_t>(sample)];
    const auto n = std::min<int64_t>(*length, std::ssize(from));
    std::copy_n(from.begin(), n, to);
    std::fill(to + n, to + *length, -1);
  }
};

WEFT_NODE(Text, "text", "Text as pieces of words (sentencepiece).",
          "{file: README.md, vocabulary: readme, pieces: 100, length: 16, batch: 4}")

}  // namespace
}  // namespace weft

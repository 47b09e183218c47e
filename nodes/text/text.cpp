#include <algorithm>

#include "framework/node/plugin.h"
#include "nodes/data/image_params.h"
#include "nodes/data/shared.h"
#include "nodes/text/documents.h"
#include "nodes/text/pieces.h"

namespace weft {
namespace {

enum class Cut { packed, documents };
std::vector<std::string> names(Cut) {
  return {"packed", "documents"};
}

// Documents as pieces, read and cut once for all who use them.
struct CutCorpus {
  std::vector<std::string> documents;
  std::shared_ptr<const Pieces> pieces;
  std::vector<std::vector<int32_t>> places;  // of each document

  using Key = std::tuple<Corpus, std::vector<std::string>, std::string, int64_t, PieceKind>;

  explicit CutCorpus(const Key& key) {
    const auto& [corpus, lines, name, size, kind] = key;
    documents = lines.empty() ? read_documents(corpus) : lines;
    pieces = size > 0 ? Pieces::learned(name, size, kind, documents) : Pieces::known(name);
    for (const std::string& document : documents) places.push_back(pieces->places(document));
  }

  static std::shared_ptr<CutCorpus> open(const Key& key) {
    return shared<CutCorpus>(key, [&] { return std::make_shared<CutCorpus>(key); });
  }
};

class Text final : public Source {
  Out tokens{this, "tokens",
             "Places in the vocabulary, [batch, length]; -1 behind the end of a document. 0 is an "
             "unknown piece, 1 a start, 2 the end of a document, 3 `[MASK]`.",
             DType::i32};
  Param<std::string> file{
      this, "file", "A .txt file, a table, or a folder of them; here or below the data folder.",
      ""};
  Param<std::vector<std::string>> lines{this, "lines", "Documents, instead of a file.",
                                        std::vector<std::string>{}};
  Param<std::string> match{
      this, "match", "A regular expression that the names of a folder's files have to match.", ""};
  Param<std::vector<std::string>> columns{this, "columns",
                                          "Of tables (.csv, .tsv, .json, .jsonl): those to read.",
                                          std::vector<std::string>{}};
  Param<Unit> unit{this, "unit", "What a document of a .txt file is.", Unit::paragraphs};
  Param<std::string> vocabulary{
      this, "vocabulary",
      "The name under which the vocabulary is kept in the folder `vocabularies` beside the data.",
      required};
  Param<int64_t> pieces{
      this, "pieces",
      "Learn the vocabulary from this text, with so many pieces, unless there is one of this name; "
      "0 takes one that is there.",
      0, within(0, 1 << 20)};
  Param<PieceKind> kind{this, "kind", "What a piece is, if a vocabulary is learned.",
                        PieceKind::unigram};
  Param<int64_t> length{this, "length", "Tokens of a sample.", required, within(1, 1 << 20)};
  Param<Cut> cut{this, "samples",
                 "Packed: documents one after the other, cut every `length` tokens. Documents: the "
                 "first tokens of each.",
                 Cut::packed};
  SplitParams side{this};

  // One side of a split, made once for all lanes.
  struct Chosen {
    std::vector<size_t> documents;
    std::vector<int32_t> packed;  // their tokens, each with an end
  };
  std::shared_ptr<CutCorpus> corpus_;
  std::shared_ptr<Chosen> chosen_;

  int64_t open() override {
    if (*pieces > 0 && *pieces <= Pieces::first_plain)
      throw Error("`pieces` is " + std::to_string(*pieces) +
                  ", but four are taken: more than that");
    if (file->empty() == lines->empty()) throw Error("needs either `file` or `lines`");
    const Corpus corpus{lines->empty() ? find_data(*file) : "", *match, *columns, *unit};
    corpus_ = CutCorpus::open({corpus, *lines, *vocabulary, *pieces, *kind});
    chosen_ = shared<Chosen>(std::tuple(corpus_.get(), *side.split, *side.test_share),
                             [&] { return choose(); });
    tokens.shape({*batch, *length});
    return *cut == Cut::documents ? std::ssize(chosen_->documents)
                                  : std::ssize(chosen_->packed) / *length;
  }

  std::shared_ptr<Chosen> choose() const {
    auto chosen = std::make_shared<Chosen>();
    for (size_t i = 0; i < corpus_->documents.size(); ++i) {
      if (!side.wants(corpus_->documents[i])) continue;
      const auto& its = corpus_->places[i];
      chosen->documents.push_back(i);
      chosen->packed.insert(chosen->packed.end(), its.begin(), its.end());
      chosen->packed.push_back(Pieces::end);
    }
    return chosen;
  }

  void load(int64_t sample, int64_t row) override {
    int32_t* to = tokens.ints() + row * *length;
    if (*cut == Cut::packed) {
      std::copy_n(chosen_->packed.begin() + sample * *length, *length, to);
      return;
    }
    const auto& from = corpus_->places[chosen_->documents[static_cast<size_t>(sample)]];
    const auto n = std::min<int64_t>(*length, std::ssize(from));
    std::copy_n(from.begin(), n, to);
    std::fill(to + n, to + *length, -1);
  }
};

WEFT_NODE(Text, "text", "Text as pieces of words (sentencepiece).",
          "{file: README.md, vocabulary: readme, pieces: 100, length: 16, batch: 4}")

}  // namespace
}  // namespace weft

// Text as pieces of words, by a vocabulary that sentencepiece learns from a corpus (Kudo &
// Richardson 2018, arXiv:1808.06226). The vocabulary goes with the model that learned with it, and
// is kept by its name in the data folder's `vocabularies`, for other pipelines.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/node/error.h"
#include "nodes/text/documents.h"

namespace weft {

enum class PieceKind { unigram, bpe, characters, words };
inline std::vector<std::string> names(PieceKind) {
  return {"unigram", "bpe", "characters", "words"};
}

// How a vocabulary is learned.
struct Learning {
  int64_t size;
  PieceKind kind;
  Whitespace whitespace;  // kept, spaces and line ends are pieces like any
};

class Pieces {
 public:
  // The first ids of every vocabulary. [MASK] in a text becomes `mask`.
  static constexpr int32_t unknown = 0, start = 1, end = 2, mask = 3, first_plain = 4;
  using Documents = std::vector<std::string>;

  // The vocabulary of this name, as bytes that also say what it was learned from. If there is none
  // yet, it is learned from the documents of `corpus`, as messages call them. Throws Error if there
  // is one of another corpus, size or kind.
  static std::string learned(const std::string& name, const Learning& how,
                             const Documents& documents, const std::string& corpus);
  // The vocabulary that a training has kept under this name.
  static std::string kept(const std::string& name);
  // Keeps a vocabulary of `corpus` under this name, unless there is one.
  static void keep(const std::string& name, const std::string& bytes, const std::string& corpus);

  // The pieces of a vocabulary, from its bytes.
  static std::shared_ptr<const Pieces> of(const std::shared_ptr<const std::string>& bytes);

  virtual ~Pieces() = default;
  virtual int64_t size() const = 0;
  virtual std::vector<int32_t> ids(const std::string& text) const = 0;
  virtual std::string text(const std::vector<int32_t>& ids) const = 0;
};

}  // namespace weft

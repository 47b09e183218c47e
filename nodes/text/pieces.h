// Text as pieces of words: a vocabulary that sentencepiece learns from a corpus (Kudo & Richardson
// 2018, arXiv:1808.06226) and that is kept, by its name, in the data folder's `vocabularies`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/node/error.h"

namespace weft {

enum class PieceKind { unigram, bpe, characters, words };
inline std::vector<std::string> names(PieceKind) {
  return {"unigram", "bpe", "characters", "words"};
}

class Pieces {
 public:
  // The first places of every vocabulary. [MASK] in a text is `mask`.
  static constexpr int32_t unknown = 0, start = 1, end = 2, mask = 3, first_plain = 4;
  using Documents = std::vector<std::string>;

  // The vocabulary of this name. If there is none yet, it is learned from the documents and kept;
  // if there is one of another corpus, size or kind, it is refused.
  static std::shared_ptr<const Pieces> learned(const std::string& name, int64_t size,
                                               PieceKind kind, const Documents& documents);
  // The vocabulary of this name, which a pipeline has learned before.
  static std::shared_ptr<const Pieces> known(const std::string& name);

  virtual ~Pieces() = default;
  virtual int64_t size() const = 0;
  virtual std::vector<int32_t> places(const std::string& text) const = 0;
  virtual std::string text(const std::vector<int32_t>& places) const = 0;
};

}  // namespace weft

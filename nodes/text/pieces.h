// Text as pieces of words: a vocabulary that sentencepiece learns from a corpus (Kudo & Richardson
// 2018, arXiv:1808.06226). It goes with the model that learned with it; the data folder's
// `vocabularies` keeps it too, by its name, for other pipelines.
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
  // The first ids of every vocabulary. [MASK] in a text is `mask`.
  static constexpr int32_t unknown = 0, start = 1, end = 2, mask = 3, first_plain = 4;
  using Documents = std::vector<std::string>;

  // Vocabularies as bytes, with what they were learned from. That of this name; if there is none
  // yet, one that is learned from the documents; if there is one of another corpus, size or kind,
  // it is refused.
  static std::string learned(const std::string& name, int64_t size, PieceKind kind,
                             const Documents& documents);
  // That of this name, which a training has kept.
  static std::string kept(const std::string& name);
  // Keeps it under this name, unless there is one.
  static void keep(const std::string& name, const std::string& bytes);

  // The vocabulary of these bytes.
  static std::shared_ptr<const Pieces> of(const std::shared_ptr<const std::string>& bytes);

  virtual ~Pieces() = default;
  virtual int64_t size() const = 0;
  virtual std::vector<int32_t> ids(const std::string& text) const = 0;
  virtual std::string text(const std::vector<int32_t>& ids) const = 0;
};

}  // namespace weft

// The params that name a vocabulary of pieces, and say how it is learned if there is none.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "framework/node/source.h"
#include "nodes/text/documents.h"
#include "nodes/text/pieces.h"

namespace weft {

struct VocabularyParams {
  Param<std::string> vocabulary;
  Param<int64_t> pieces;
  Param<PieceKind> kind;
  Param<bool> ends;

  // `name` is the default of the vocabulary's name, or `required`.
  template <class Name>
  VocabularyParams(Node* owner, const char* about, Name name)
      : vocabulary(owner, "vocabulary", about, std::move(name)),
        pieces(owner, "pieces",
               "Learn the vocabulary from this text, with so many pieces, unless there is one of "
               "this name; 0 takes one that is there, or that an earlier source of the section "
               "learns.",
               0, within(0, 1 << 20)),
        kind(owner, "kind", "What a piece is, if a vocabulary is learned.", PieceKind::unigram),
        ends(owner, "ends",
             "Put the end, 2, behind the pieces of each text, as packed documents have it.",
             false) {}

  // Called in open(): the vocabulary that was given, kept, or is learned from these documents, of
  // `corpus`, which is a file with its columns.
  std::shared_ptr<const Pieces> open(Fit& fit, const Pieces::Documents& documents,
                                     const std::string& corpus,
                                     Whitespace whitespace = Whitespace::join) const {
    if (*pieces > 0 && *pieces <= Pieces::first_plain)
      throw Error("`pieces` is " + std::to_string(*pieces) +
                  ", but four are taken: more than that");
    fit.named("pieces", "`" + *vocabulary + "`", [&] {
      return *pieces > 0
                 ? Pieces::learned(*vocabulary, {*pieces, *kind, whitespace}, documents, corpus)
                 : Pieces::kept(*vocabulary);
    });
    if (*pieces > 0)
      fit.keep = [&fit, this, corpus] { Pieces::keep(*vocabulary, *fit.bytes(), corpus); };
    return Pieces::of(fit.bytes());
  }
};

}  // namespace weft

// The documents of a corpus: paragraphs of plain text, lines, or rows of tables.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/node/error.h"

namespace weft {

enum class Unit { paragraphs, lines };
inline std::vector<std::string> names(Unit) {
  return {"paragraphs", "lines"};
}

struct Corpus {
  std::filesystem::path path;        // a file, or a folder with all below it
  std::string match;                 // of the files of a folder, a regular expression; "" is all
  std::vector<std::string> columns;  // of tables: their texts, one after the other
  Unit unit = Unit::paragraphs;      // of plain text
};

// In the order of files' paths and of their texts; without empty ones. Spaces and line ends are one
// space. Throws Error(data): missing, larger than 1 GiB in all, not UTF-8, without text.
std::vector<std::string> read_documents(const Corpus& corpus);

}  // namespace weft

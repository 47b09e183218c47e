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

enum class Whitespace { join, keep };
inline std::vector<std::string> names(Whitespace) {
  return {"join", "keep"};
}

struct Corpus {
  std::filesystem::path path;        // a file, or a folder with all below it
  std::string match;                 // a regular expression for a folder's files; "" takes all
  std::vector<std::string> columns;  // columns of tables, whose texts follow one another
  Unit unit = Unit::paragraphs;      // what a document of plain text is
  Whitespace whitespace = Whitespace::join;
};

// Throws Error(data) if a text of `file`, its `number`th `unit`, is not UTF-8.
void check_utf8(const std::string& text, const std::filesystem::path& file, const char* unit,
                size_t number);

// Throws Error unless texts come either from a file or from the param `lines`.
void check_origin(const std::string& file, const std::vector<std::string>& lines);

// The documents in the order of the files' paths and of the texts in them, without empty ones. Each
// run of spaces and line ends becomes one space, if they are joined. Throws Error(data): missing,
// larger than 1 GiB in all, not UTF-8, without text.
std::vector<std::string> read_documents(const Corpus& corpus);

}  // namespace weft

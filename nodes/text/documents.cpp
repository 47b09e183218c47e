#include "nodes/text/documents.h"

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

#include "framework/formats/table.h"

namespace weft {

namespace {
namespace fs = std::filesystem;
constexpr uintmax_t most_bytes = uintmax_t{1} << 30;

std::vector<fs::path> files_of(const Corpus& corpus) {
  std::error_code error;
  if (!fs::is_directory(corpus.path, error)) return {corpus.path};
  std::vector<fs::path> files;
  if (corpus.match.size() > 1000) throw Error("`match` is longer than 1000 characters");
  std::regex pattern;
  try {
    pattern = std::regex(corpus.match);
  } catch (const std::regex_error& wrong) {
    throw Error("`match` is no regular expression: " + std::string(wrong.what()));
  }
  for (fs::recursive_directory_iterator at(corpus.path, error);
       !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    const fs::path& file = at->path();
    const bool text = (file.extension() == ".txt" || is_table(file)) && at->is_regular_file(error);
    if (text && std::regex_search(file.lexically_relative(corpus.path).generic_string(), pattern))
      files.push_back(file);
  }
  if (error)
    throw Error(Exit::data, "cannot list " + corpus.path.string() + ": " + error.message());
  std::sort(files.begin(), files.end());
  return files;
}

// The length in bytes of the UTF-8 character at `at`, or 0 if it is none.
size_t character(const std::string& text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const size_t size = byte(at) < 0x80 ? 1 : byte(at) >> 5 == 6 ? 2 : byte(at) >> 4 == 14 ? 3 : 4;
  if (size == 4 && byte(at) >> 3 != 30) return 0;
  if (at + size > text.size()) return 0;
  for (size_t i = 1; i < size; ++i)
    if (byte(at + i) >> 6 != 2) return 0;
  return size;
}

// Adds a text, unless there is none.
void add_document(std::vector<std::string>& documents, const std::string& text,
                  Whitespace whitespace) {
  if (whitespace == Whitespace::keep) {
    if (!text.empty())  // then it is of lines that are not blank
      documents.push_back(text.substr(0, text.find_last_not_of("\r\n") + 1));
    return;
  }
  std::string words;
  std::istringstream in(text);
  for (std::string word; in >> word;) words += (words.empty() ? "" : " ") + word;
  if (!words.empty()) documents.push_back(std::move(words));
}

void read_plain(const fs::path& file, const Corpus& corpus, std::vector<std::string>& documents) {
  std::ifstream in(file, std::ios::binary);
  std::string document;
  size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    check_utf8(line, file, "line", ++number);
    const bool blank = line.find_first_not_of(" \t\r") == std::string::npos;
    if (blank || corpus.unit == Unit::lines) {
      add_document(documents, document, corpus.whitespace);
      document.clear();
    }
    if (!blank) document += line + "\n";
  }
  add_document(documents, document, corpus.whitespace);
  if (in.bad() || !in.eof()) throw Error(Exit::data, file.string() + " cannot be read");
}

void read_rows(const fs::path& file, const std::vector<std::string>& names,
               std::vector<std::string>& documents) {
  if (names.empty()) throw Error(file.string() + " is a table: `columns` must name those to read");
  const Table table = read_table(file);
  std::vector<size_t> columns;
  columns.reserve(names.size());
  for (const std::string& name : names) columns.push_back(table.column(name));
  size_t number = 0;
  for (const auto& row : table.rows) {
    std::string text;
    for (const size_t column : columns) text += row[column] + " ";
    check_utf8(text, file, "row", ++number);
    add_document(documents, text, Whitespace::join);
  }
}
}  // namespace

void check_utf8(const std::string& text, const fs::path& file, const char* unit, size_t number) {
  for (size_t at = 0; at < text.size();) {
    const size_t size = character(text, at);
    if (size == 0)
      throw Error(Exit::data, file.string() + " is not UTF-8 in " + unit + " " +
                                  std::to_string(number) + ", at byte " + std::to_string(at));
    at += size;
  }
}

void check_origin(const std::string& file, const std::vector<std::string>& lines) {
  if (file.empty() && lines.empty()) throw Error("needs either `file` or `lines`");
  if (!file.empty() && !lines.empty()) throw Error("takes `file` or `lines`, not both");
}

std::vector<std::string> read_documents(const Corpus& corpus) {
  std::vector<std::string> documents;
  uintmax_t bytes = 0;
  for (const fs::path& file : files_of(corpus)) {
    std::error_code error;
    bytes += fs::file_size(file, error);
    if (error) throw Error(Exit::data, file.string() + " cannot be read: " + error.message());
    if (bytes > most_bytes)
      throw Error(Exit::data, corpus.path.string() + " has more than 1 GiB of text");
    if (is_table(file))
      read_rows(file, corpus.columns, documents);
    else
      read_plain(file, corpus, documents);
  }
  if (documents.empty())
    throw Error(Exit::data,
                corpus.path.string() + " holds no text (.txt, .csv, .tsv, .json, .jsonl)");
  return documents;
}

}  // namespace weft
